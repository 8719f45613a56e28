package profile

// Decode is the reading of a profile that is not one of the built-in ones.
var Decode = decode
