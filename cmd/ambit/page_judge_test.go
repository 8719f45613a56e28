package main

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// complaints collects what a browser complains of from now on: errors of scripts, what a policy
// keeps out, what is not found.
func complaints(t *testing.T, page context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var list []string
	add := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(page, func(ev any) {
		switch ev := ev.(type) {
		case *log.EventEntryAdded:
			add("%s: %s", ev.Entry.Level, ev.Entry.Text)
		case *runtime.EventExceptionThrown:
			add("exception: %s", ev.ExceptionDetails.Text)
		}
	})
	if err == nil {
		_, err = chromedp.Call(page, log.Enable, cdp.Empty{})
	}
	if err == nil {
		_, err = chromedp.Call(page, runtime.Enable, cdp.Empty{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, list...)
	}
}

// judgePage looks at the page that is open as three people do: in the light, in the dark, and on
// a phone. All text can be read, and nothing reaches over the edge.
func judgePage(t *testing.T, page context.Context, name string) {
	t.Helper()
	papers := make(map[string]bool)
	for _, view := range []struct {
		scheme string
		width  int64
	}{{"light", 1280}, {"dark", 1280}, {"light", 390}, {"dark", 390}} {
		do(t, page, window(view.scheme, view.width))
		p := ask(t, page, chromedp.Evaluate[paleness](paleScript))
		if p.Contrast < leastContrast || p.Texts < 3 {
			t.Errorf("%s, %s, %d wide: %d texts, and %q has a contrast of %.2f", name, view.scheme, view.width, p.Texts, p.Text, p.Contrast)
		}
		papers[p.Paper] = true
		// The width is told to the page: a phone's window grows with what reaches over its edge.
		if over := ask(t, page, chromedp.Evaluate[string](fmt.Sprintf(`(() => {
			if (document.documentElement.scrollWidth <= %[1]d) return "";
			const over = Array.from(document.body.querySelectorAll("*")).find(e => e.getBoundingClientRect().right > %[1]d + 1);
			return over ? over.outerHTML.slice(0, 200) : "?";
		})()`, view.width))); over != "" {
			t.Errorf("%s, %s, is wider than %d: %s", name, view.scheme, view.width, over)
		}
		shot(t, page, fmt.Sprintf("%s-%s-%d", name, view.scheme, view.width))
	}
	if len(papers) != 2 {
		t.Errorf("%s looks the same in the dark: %v", name, papers)
	}
	do(t, page, window("light", 1280))
}

// clipboard is what a page has copied.
func clipboard(t *testing.T, page context.Context) string {
	t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		if _, err := chromedp.Call(page, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
		}); err != nil {
			t.Fatal(err)
		}
	}
	return ask(t, page, chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise))
}

// until waits for something to be true on a page.
func until(condition string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](`new Promise(done => {
		const look = () => (`+condition+`) ? done(true) : setTimeout(look, 20);
		look();
	})`, chromedp.EvalAwaitPromise)
}
