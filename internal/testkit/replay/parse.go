package replay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// An Exchange is a request that is expected, and the response that it gets.
type Exchange struct {
	Place  string // file:line of its request
	Times  Times
	Method string
	URL    string // without its query
	Query  []Field
	Header []Field
	Body   Body

	Status   int
	Sent     []Field // header fields of the response
	Response string
}

// Times say when a request comes, and how often.
type Times string

// The marks of a request.
const (
	TimesNext Times = ""  // as the next one in the order of the file
	TimesOnce Times = "1" // once, whenever
	TimesSome Times = "+" // at least once, whenever
	TimesAny  Times = "*" // any number of times or never, whenever
)

// A Field is a name with a value in which words in braces may stand.
type Field struct{ Name, Value string }

// A Body is what a request carries: nothing, members of a form, JSON, or whatever comes.
type Body struct {
	Form []Field
	JSON any // nil for none
	Any  bool
}

// Parse reads a file of exchanges; file is its name for messages.
func Parse(file string, text []byte) ([]Exchange, error) {
	p := &parser{file: file}
	for line := range strings.Lines(string(text)) {
		p.number++
		if err := p.line(strings.TrimRight(line, " \r\n")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, p.number, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, p.number, err)
	}
	return p.list, nil
}

// The parts of an exchange, in their order.
type part int

const (
	partNone part = iota
	partRequest
	partRequestBody
	partResponse
	partResponseBody
)

type parser struct {
	file     string
	number   int
	at       part
	now      Exchange
	body     []string // of the request
	response []string
	list     []Exchange
}

func (p *parser) line(line string) error {
	side, text := "", ""
	if line != "" {
		side, text = line[:1], strings.TrimPrefix(line[1:], " ")
	}
	switch {
	case line == "":
		return p.end()
	case side == "#" && p.at == partNone:
		return nil
	case side == ">" && p.at != partRequest && p.at != partRequestBody:
		if err := p.end(); err != nil {
			return err
		}
		return p.request(line)
	case side == ">" && p.at == partRequest:
		return p.requestHead(text)
	case side == ">":
		p.body = append(p.body, text)
		return nil
	case side == "<" && (p.at == partRequest || p.at == partRequestBody):
		return p.status(text)
	case side == "<" && p.at == partResponse:
		return p.responseHead(text)
	case side == "<" && p.at == partResponseBody:
		p.response = append(p.response, text)
		return nil
	}
	return fmt.Errorf("%q: a request begins with >, its response with <, and a comment stands between exchanges", line)
}

var requestLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^>([1+*]?) ([A-Z]+) (https?://[^?#\s]+)$`) })

func (p *parser) request(line string) error {
	m := requestLine().FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("%q: a request begins with > METHOD URL, and its query stands below, as > ?name=value", line)
	}
	p.now = Exchange{Place: fmt.Sprintf("%s:%d", p.file, p.number), Times: Times(m[1]), Method: m[2], URL: m[3]}
	p.at = partRequest
	return nil
}

var headerLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Za-z0-9-]+):(?: (.*))?$`) })

func (p *parser) requestHead(text string) error {
	if text == "" {
		p.at = partRequestBody
		return nil
	}
	if member, is := strings.CutPrefix(text, "?"); is {
		name, value, ok := strings.Cut(member, "=")
		if !ok {
			return fmt.Errorf("%q: a parameter is ?name=value", text)
		}
		p.now.Query = append(p.now.Query, Field{name, value})
		return nil
	}
	m := headerLine().FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%q: neither ?name=value nor Name: value; a body stands behind an empty >", text)
	}
	p.now.Header = append(p.now.Header, Field{http.CanonicalHeaderKey(m[1]), m[2]})
	return nil
}

func (p *parser) status(text string) error {
	if err := p.readBody(); err != nil {
		return err
	}
	code, err := strconv.Atoi(text)
	if err != nil || code < 200 || code > 599 {
		return fmt.Errorf("%q: a response begins with < and its status", text)
	}
	p.now.Status, p.at = code, partResponse
	return nil
}

func (p *parser) responseHead(text string) error {
	if text == "" {
		p.at = partResponseBody
		return nil
	}
	m := headerLine().FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%q: a header field is Name: value; a body stands behind an empty <", text)
	}
	p.now.Sent = append(p.now.Sent, Field{http.CanonicalHeaderKey(m[1]), m[2]})
	return nil
}

func (p *parser) readBody() error {
	text := strings.Join(p.body, "\n")
	p.body = nil
	switch {
	case text == "":
		return nil
	case text == "{*}":
		p.now.Body.Any = true
		return nil
	case text[0] == '{' || text[0] == '[':
		if err := json.Unmarshal([]byte(text), &p.now.Body.JSON); err != nil {
			return fmt.Errorf("the request's body is no JSON: %w", err)
		}
		return nil
	}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			return fmt.Errorf("%q: a member of a form is name=value", line)
		}
		p.now.Body.Form = append(p.now.Body.Form, Field{name, value})
	}
	return nil
}

// end closes the exchange that is being read, where there is one.
func (p *parser) end() error {
	switch p.at {
	case partNone:
		return nil
	case partRequest, partRequestBody:
		return fmt.Errorf("the request of %s has no response", p.now.Place)
	}
	p.now.Response = strings.Join(p.response, "\n")
	p.list, p.response, p.at = append(p.list, p.now), nil, partNone
	return nil
}
