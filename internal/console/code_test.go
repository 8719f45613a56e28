package console

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ambit-auth/ambit/internal/view"
	"rsc.io/qr"
)

const (
	short = "https://login.example/device"
	long  = "https://accounts.login.example/realms/people/protocol/openid-connect/device"
)

// A code stands in the window whole, with a picture where there is room for one.
func TestLayCode(t *testing.T) {
	for name, tt := range map[string]struct {
		columns, rows int
		code          Code
		color         bool
		beside, below bool // where the picture is
	}{
		"usual":           {80, 24, Code{User: "WDJB-MJHT", URL: short, Complete: short + "?user_code=WDJB-MJHT"}, true, true, false},
		"with a reason":   {80, 24, Code{User: "WDJB-MJHT", URL: short, Complete: short + "?user_code=WDJB-MJHT", Why: "this machine has no display"}, true, true, false},
		"no room beside":  {60, 40, Code{User: "WDJB-MJHT", URL: short}, true, false, true},
		"no room below":   {60, 24, Code{User: "WDJB-MJHT", URL: short}, true, false, false},
		"a long link":     {80, 40, Code{User: "WDJB-MJHT", URL: long, Complete: long + "?user_code=WDJB-MJHT"}, true, false, true},
		"narrow":          {40, 24, Code{User: "WDJB-MJHT", URL: short, Why: "this is a container"}, true, false, false},
		"low":             {80, 12, Code{User: "WDJB-MJHT", URL: short}, true, false, false},
		"without color":   {80, 40, Code{User: "WDJB-MJHT", URL: short}, false, false, false},
		"ASCII":           {80, 40, Code{User: "WDJB-MJHT", URL: short, ASCII: true}, true, false, false},
		"height unknown":  {80, 0, Code{User: "WDJB-MJHT", URL: short}, true, false, false},
		"an endless link": {80, 90, Code{User: "1", URL: "https://login.example/" + strings.Repeat("a", 2000)}, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := &Console{Paint: view.Palette{On: tt.color}}
			text := v.layCode(tt.code, tt.columns, tt.rows)
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			pictured := regexp.MustCompile(`█▀▀▀▀▀█`).MatchString(text)
			beside := regexp.MustCompile(`(?m)[▀▄█ ]+\x1b\[0m +Open$`).MatchString(text)
			if pictured != (tt.beside || tt.below) || beside != tt.beside {
				t.Errorf("a picture: %t, beside the text: %t\n%s", pictured, beside, text)
			}
			if n := linesOf(lines, tt.columns) + 1; pictured && n > tt.rows {
				t.Errorf("%d lines in a window of %d\n%s", n, tt.rows, text)
			}
			for _, line := range lines {
				if view.Visible(line) > tt.columns && !strings.Contains(line, "https://") {
					t.Errorf("a line is too long: %q", line)
				}
			}
			plain := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(text, "")
			if !strings.Contains(plain, "  "+tt.code.User+"  ") || !strings.Contains(plain, tt.code.URL) || !strings.Contains(plain, tt.code.Complete) {
				t.Errorf("something is missing:\n%s", plain)
			}
			if tt.code.ASCII && strings.ContainsFunc(plain, func(r rune) bool { return r > '~' }) {
				t.Errorf("it is not ASCII:\n%s", plain)
			}
			for _, at := range regexp.MustCompile(`\x1b`).FindAllStringIndex(text, -1) {
				if !tt.color {
					t.Fatalf("a color at %d", at[0])
				}
			}
		})
	}
}

// The half blocks are the modules of the code, black on white.
func TestPicture(t *testing.T) {
	v := &Console{Paint: view.Palette{On: true}}
	lines := v.picture(Code{URL: short, Complete: short + "?user_code=WDJB-MJHT"})
	want, err := qr.Encode(short+"?user_code=WDJB-MJHT", qr.L)
	if err != nil {
		t.Fatal(err)
	}
	if n := want.Size + 2*quiet; len(lines) != (n+1)/2 {
		t.Fatalf("%d lines for %d modules", len(lines), n)
	}
	for y, line := range lines {
		cells, colored := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		cells, ends := strings.CutSuffix(cells, "\x1b[0m")
		if !colored || !ends {
			t.Fatalf("line %d has other colors: %q", y, line)
		}
		for x, cell := range []rune(cells) {
			up, down := slices.Contains([]rune("▀█"), cell), slices.Contains([]rune("▄█"), cell)
			if up != want.Black(x-quiet, 2*y-quiet) || down != want.Black(x-quiet, 2*y+1-quiet) {
				t.Fatalf("at %d, %d stands %q", x, y, cell)
			}
		}
	}
}

func TestCountdown(t *testing.T) {
	for _, tt := range []struct {
		left    time.Duration
		columns int
		want    string
	}{
		{15 * time.Minute, 80, "waiting for you to agree; the code expires in 15:00"},
		{61*time.Second + 400*time.Millisecond, 80, "waiting for you to agree; the code expires in 1:01"},
		{9 * time.Second, 40, "waiting: 0:09"},
		{-time.Second, 40, "waiting: 0:00"},
	} {
		if got := countdown(tt.left, tt.columns); got != tt.want {
			t.Errorf("%s in %d columns: %q", tt.left, tt.columns, got)
		}
	}
}
