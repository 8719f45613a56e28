package evidence

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sort"

	"github.com/ambit-auth/ambit/internal/guard"
	"github.com/ambit-auth/ambit/internal/refusal"
	"github.com/ambit-auth/ambit/scopes"
)

// A harEntry is what is looked at of one entry; all else is skipped by the decoder.
type harEntry struct {
	Request struct {
		Method string
		URL    string
	}
	Response struct {
		Status  statusCode
		Headers []struct{ Name, Value lenientString }
		Content struct{ Text, Encoding lenientString }
	}
}

// lenientString is a text; "" where a tool wrote something else.
type lenientString string

// UnmarshalJSON never fails.
func (l *lenientString) UnmarshalJSON(data []byte) error {
	var text string
	_ = json.Unmarshal(data, &text)
	*l = lenientString(text)
	return nil
}

// A statusCode may be written with a fraction; 0 is that of a call without an answer.
type statusCode int

// UnmarshalJSON fails for what is no number, and quotes nothing of it.
func (s *statusCode) UnmarshalJSON(data []byte) error {
	var number float64
	if json.Unmarshal(data, &number) != nil {
		return errNoHAR
	}
	if number >= 100 && number <= 999 {
		*s = statusCode(number)
	}
	return nil
}

// har reads log.entries as a stream: a recording can be far larger than an entry. Files
// that were joined are read one after the other.
func (c *trafficReader) har(in *bufio.Reader) error {
	lines := &lineReader{r: in}
	d := json.NewDecoder(lines)
	fail := func(err error) error {
		reason := "not a HAR file"
		if _, bad := errors.AsType[*json.SyntaxError](err); bad || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			reason = "not a HAR file: not JSON, or it breaks off"
		}
		return syntax(c.file, lines.at(d.InputOffset()), "%s", reason)
	}
	for joined := 0; joined == 0 || d.More(); joined++ {
		logs := 0
		err := guard.Members(d, func(key string) error {
			if key != "log" {
				return guard.Skip(d)
			}
			logs++
			return c.harLog(d, lines)
		})
		switch _, told := errors.AsType[*Error](err); {
		case told:
			return err
		case err != nil || logs == 0:
			return fail(err)
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return fail(err)
	}
	return nil
}

// errNoHAR says that something is of another form than it has in a HAR file.
var errNoHAR = errors.New("not as in a HAR file")

func (c *trafficReader) harLog(d *json.Decoder, lines *lineReader) error {
	return guard.Members(d, func(key string) error {
		if key != "entries" {
			return guard.Skip(d)
		}
		if open, err := d.Token(); err != nil || open != json.Delim('[') {
			return cmp.Or(err, errNoHAR)
		}
		for d.More() {
			var e harEntry
			if err := d.Decode(&e); err != nil {
				return err
			}
			if err := c.entry(&e, lines.at(d.InputOffset())); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	})
}

func (c *trafficReader) entry(e *harEntry, number int) error {
	if e.Response.Status == 0 || e.Request.Method == "OPTIONS" {
		return nil // never answered, or a browser's question before a call
	}
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		u = &url.URL{} // which stands nowhere
	}
	base, path, ours := c.places.Locate(u)
	if !ours {
		c.foreign++
		return nil
	}
	return c.observe(base, e.Request.Method, path, int(e.Response.Status), nil, append([]string{}, words(c.named(base, e))...), number)
}

// named are the scopes for want of which the call was refused, as the response says.
func (c *trafficReader) named(base string, e *harEntry) []string {
	header := make(http.Header)
	for _, h := range e.Response.Headers {
		header.Add(string(h.Name), string(h.Value))
	}
	resp := refusal.Response{Status: int(e.Response.Status), Header: header, Body: e.body()}
	if !refusal.MayRefuse(c.Provider, resp.Status, header) || scopes.Succeeded(resp.Status) && !refusal.Fails(c.Provider, base, resp) {
		return nil
	}
	return refusal.Read(c.Provider, base, refusal.Vocabulary{Scopes: c.Scopes, Implies: c.Provider.Implies}, resp).Words()
}

// body is what a HAR file has of a body: text, or bytes in base64.
func (e *harEntry) body() []byte {
	text := string(e.Response.Content.Text)
	if e.Response.Content.Encoding == "base64" {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil
		}
		return decoded
	}
	return []byte(text)
}

// A lineReader notes where lines end, so that an offset can be told as a line.
type lineReader struct {
	r    io.Reader
	read int64
	ends []int64
}

// Read notes line ends on the way.
func (l *lineReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

func (l *lineReader) at(offset int64) int {
	return 1 + sort.Search(len(l.ends), func(i int) bool { return l.ends[i] >= offset })
}
