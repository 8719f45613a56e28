package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Text is a member that is a string; "" where there is none. A list of one string is that
// string.
func (o *Object) Text(name string) string {
	value := o.value(name)
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	if word, ok := value.(string); ok {
		return word
	}
	o.leaveType(name, "a string")
	return ""
}

// Name is a member that is a string or a number, the latter as it is written: identifiers come in
// both. "" where there is none.
func (o *Object) Name(name string) string {
	if number, ok := o.value(name).(json.Number); ok {
		return number.String()
	}
	return o.Text(name)
}

// Flag is a member that is a boolean, or one of its words as a string; false where there is
// none.
func (o *Object) Flag(name string) bool {
	flag, _ := o.Bool(name)
	return flag
}

// Bool is [Object.Flag] for whom absent is not false.
func (o *Object) Bool(name string) (flag, said bool) {
	switch value := o.value(name).(type) {
	case bool:
		return value, true
	case string:
		if value == "true" || value == "false" {
			return value == "true", true
		}
	}
	o.leaveType(name, "a boolean")
	return false, false
}

// List is a member that is a list of strings and numbers, the latter as they are written,
// since identifiers come in both, or a string of words with spaces between. Elements of
// another type are left out. nil where there is no list.
func (o *Object) List(name string) []string {
	var plain []string // the usual form, for which nothing has to be looked at one by one
	if raw := o.members[name]; o.Has(name) && !bytes.Contains(raw, []byte("null")) && json.Unmarshal(raw, &plain) == nil {
		return plain
	}
	switch value := o.value(name).(type) {
	case string:
		return append([]string{}, strings.Fields(value)...)
	case []any:
		list := make([]string, 0, len(value))
		for i, element := range value {
			switch element := element.(type) {
			case string:
				list = append(list, element)
			case json.Number:
				list = append(list, element.String())
			default:
				o.Leave(fmt.Sprintf("%s[%d]", name, i), "is not a string")
			}
		}
		if len(list) == 0 && len(value) > 0 {
			return nil // nothing of it can be used, which is not to say that it is empty
		}
		return list
	}
	o.leaveType(name, "an array of strings")
	return nil
}

// IsList reports whether a member is a list.
func (o *Object) IsList(name string) bool { return o.Has(name) && o.members[name][0] == '[' }

// IsNumber reports whether a member is a number, or a number as a string.
func (o *Object) IsNumber(name string) bool {
	_, ok := o.parseNumber(name)
	return ok
}

// number is a member that is a number, or a number as a string; 0 where there is none.
func (o *Object) number(name string) float64 {
	number, ok := o.parseNumber(name)
	if !ok {
		o.leaveType(name, "a number")
	}
	return number
}

func (o *Object) parseNumber(name string) (number float64, ok bool) {
	var written string
	switch value := o.value(name).(type) {
	case json.Number:
		written = value.String()
	case string:
		written = strings.TrimSpace(value)
	}
	number, err := strconv.ParseFloat(written, 64)
	if err != nil && !math.IsInf(number, 0) || math.IsNaN(number) {
		return 0, false
	}
	return number, true
}

// Seconds is a member that is a length of time in seconds, cut to at most limit; 0 where it
// is none, or not above zero.
func (o *Object) Seconds(name string, limit time.Duration) time.Duration {
	seconds := math.Min(o.number(name), limit.Seconds())
	if seconds <= 0 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// lastMoment is the end of the year 9999 in seconds since 1970: beyond it there are no dates
// in RFC 3339.
const lastMoment = 253402300799

// dateForms are those in which services write a moment: RFC 3339, with a space for its T and the zone as
// a word or an offset, and a day alone, which stands for its beginning in UTC.
var dateForms = []string{time.RFC3339, "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05Z07:00", time.DateOnly}

// Moment is a member that is seconds since 1970 or a date (RFC 3339, and what is close to it); zero
// where it is neither.
func (o *Object) Moment(name string) time.Time {
	if date, ok := o.value(name).(string); ok {
		for _, form := range dateForms {
			if t, err := time.Parse(form, date); err == nil {
				return t.UTC()
			}
		}
	}
	seconds := o.number(name)
	if seconds <= 0 || seconds >= lastMoment {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// Elements are those of a member that is a list, each as it is written; nil where there is
// none.
func (o *Object) Elements(name string) []json.RawMessage {
	var list []json.RawMessage
	if o.Has(name) && json.Unmarshal(o.members[name], &list) != nil {
		o.leaveType(name, "an array")
	}
	return list
}

// leaveType notes that a member is of another type than the one that is wanted.
func (o *Object) leaveType(name, want string) {
	if o.Has(name) {
		o.Leave(name, "is %s, not %s", typeOf(o.members[name]), want)
	}
}

func typeOf(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}
