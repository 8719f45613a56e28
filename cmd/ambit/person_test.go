package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// pages is how many pages a person goes through before giving up.
const pages = 10

// person is a browser for scripts, with someone in front of it: it opens a URL, fills in the forms
// to which that leads, and writes the last page into the file that VISITED names. DENY is what makes
// the person say no; UNTICK names scopes that the person takes the mark from; DROP is a parameter that
// gets lost on the way back to the program. CODE is what the person reads on another device.
// WHO is the person's name, and password.
func person() {
	if err := walk(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func walk(page string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if query := next.URL.Query(); next.URL.Path == "/callback" && query.Has(os.Getenv("DROP")) {
			query.Del(os.Getenv("DROP"))
			next.URL.RawQuery = query.Encode()
		}
		return nil
	}}
	request, err := http.NewRequest(http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	refused := false // the page that follows is the last
	for range pages {
		text, at, ok, err := load(&browser, request)
		if err != nil {
			return err
		}
		action, fields, refuses := fillIn(string(text))
		if fields == nil || refused || !ok {
			return visited(text)
		}
		if request, err = submit(at, action, fields); err != nil {
			return err
		}
		refused = refuses
	}
	return fmt.Errorf("%d pages, and no end: %s", pages, request.URL)
}

// load reads a page, wherever a request leads; ok where it is one that a person can go on with.
func load(browser *http.Client, request *http.Request) (page []byte, at *url.URL, ok bool, err error) {
	response, err := browser.Do(request)
	if err != nil {
		return nil, nil, false, err
	}
	defer response.Body.Close()
	page, err = io.ReadAll(response.Body)
	return page, response.Request.URL, response.StatusCode == http.StatusOK, err
}

// submit is the request of a form that stands on a page.
func submit(page *url.URL, action string, fields url.Values) (*http.Request, error) {
	to, err := page.Parse(action)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request, nil
}

// visited writes the last page into the file that VISITED names.
func visited(page []byte) error {
	file := os.Getenv("VISITED")
	if file == "" {
		return nil
	}
	return os.WriteFile(file, page, 0o600)
}

// fillIn fills in the first form of a page, and reports whether that says no.
func fillIn(page string) (action string, fields url.Values, refuses bool) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", nil, false
	}
	var buttons []*html.Node
	for n := range root.Descendants() {
		switch {
		case n.Data == "form" && fields == nil:
			action, fields = attribute(n, "action"), url.Values{}
		case fields == nil || attribute(n, "name") == "" && attribute(n, "type") != "submit":
		case n.Data == "button" || attribute(n, "type") == "submit":
			buttons = append(buttons, n)
		case n.Data == "input" && !unticked(n):
			fields.Add(attribute(n, "name"), typed(n))
		}
	}
	pressed, refuses := choose(buttons)
	if pressed != nil && attribute(pressed, "name") != "" {
		fields.Add(attribute(pressed, "name"), attribute(pressed, "value"))
	}
	return action, fields, refuses
}

// choose is the button that the person presses: for yes the one that the page suggests, else the last;
// for no another one, if there is one. Nil where there are none.
func choose(buttons []*html.Node) (pressed *html.Node, refuses bool) {
	if len(buttons) == 0 {
		return nil, false
	}
	yes := buttons[len(buttons)-1]
	if i := slices.IndexFunc(buttons, func(n *html.Node) bool { return has(n, "autofocus") }); i >= 0 {
		yes = buttons[i]
	}
	for _, other := range buttons {
		if other != yes && os.Getenv("DENY") != "" {
			return other, true
		}
	}
	return yes, false
}

func unticked(input *html.Node) bool {
	return attribute(input, "type") == "checkbox" && slices.Contains(strings.Fields(os.Getenv("UNTICK")), attribute(input, "value"))
}

// typed is what stands in a field in the end.
func typed(input *html.Node) string {
	value := attribute(input, "value")
	switch name := attribute(input, "name"); {
	case name == "username" || name == "password":
		return cmp.Or(os.Getenv("WHO"), "ada")
	case name == "user_code" && value == "":
		return os.Getenv("CODE")
	}
	return value
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func attribute(n *html.Node, key string) string {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	if i < 0 {
		return ""
	}
	return n.Attr[i].Val
}
