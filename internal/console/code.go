package console

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ambit-auth/ambit/internal/view"
	"golang.org/x/term"
	"rsc.io/qr"
)

// A Code is one that a person enters on another device. All of it is fit to be shown.
type Code struct {
	Why      string    // it is shown, and no page: a sentence's end; "" for no reason but that it was asked for
	User     string    // what is entered
	URL      string    // and where
	Complete string    // a link with the code in it; "" for none
	Expires  time.Time // from when on it is no good
	ASCII    bool      // the terminal shows nothing else
}

// ShowCode shows a code, and on a terminal counts down until ctx ends.
func (v *Console) ShowCode(ctx context.Context, c Code) {
	if !v.Live {
		v.Say("to log in, open this link on any device: %s", c.URL)
		v.Say("and enter this code, which expires in %s: %s", left(time.Until(c.Expires)), c.User)
		return
	}
	v.Write(v.layCode(c, v.Columns, rows(v.Out)))
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		v.pend(countdown(time.Until(c.Expires), v.Columns))
		select {
		case <-second.C:
		case <-ctx.Done():
			v.mu.Lock()
			defer v.mu.Unlock()
			v.clear()
			return
		}
	}
}

// countdown fits on one line, or it could not be taken back.
func countdown(d time.Duration, columns int) string {
	if long := "waiting for you to agree; the code expires in " + left(d); len(long) < columns {
		return long
	}
	return "waiting: " + left(d)
}

// left is a time in minutes and seconds, as clocks show it.
func left(d time.Duration) string {
	seconds := max(0, int(d.Round(time.Second).Seconds()))
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// rows is the height of the terminal behind a stream.
func rows(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if _, height, err := term.GetSize(int(f.Fd())); err == nil {
			return height
		}
	}
	return 0
}

// layCode lays a code out for a terminal: what to type beside a QR code, or below it, or without
// one where it has no room. All of it fits into the window, with a line more for the countdown.
func (v *Console) layCode(c Code, columns, rows int) string {
	head := view.Wrap("Log in on any device with a browser, such as your phone.", columns)
	if c.Why != "" {
		head = view.Wrap("Log in on another device, such as your phone: "+c.Why+".", columns)
		for _, line := range view.Wrap("To log in with a URL instead: ambit login --no-browser", columns) {
			head = append(head, v.Paint.Dim(line))
		}
	}
	head = append(head, "")
	words := v.typed(c)
	below := []string{""}
	if c.Complete != "" {
		below = []string{"", v.Paint.Dim("With the code in it: " + c.Complete), ""}
	}
	picture := v.picture(c)
	beside, stacked := abreast(picture, words), slices.Concat(picture, []string{""}, words)
	body := words
	for _, way := range [][]string{beside, stacked} {
		if len(picture) > 0 && widest(way) <= columns && linesOf(head, columns)+len(way)+linesOf(below, columns)+1 <= rows {
			body = way
			break
		}
	}
	var b strings.Builder
	for _, line := range slices.Concat(head, body, below) {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// typed is what a person types on the other device.
func (v *Console) typed(c Code) []string {
	frame, side := strings.Repeat("─", view.Visible(c.User)+4), "│"
	top, bottom := "╭"+frame+"╮", "╰"+frame+"╯"
	if c.ASCII {
		frame, side = strings.Repeat("-", view.Visible(c.User)+4), "|"
		top, bottom = "+"+frame+"+", "+"+frame+"+"
	}
	return []string{
		"Open", "", "  " + v.Paint.Bold(c.URL), "", "and enter this code:", "",
		"  " + top, "  " + side + "  " + v.Paint.Bold(c.User) + "  " + side, "  " + bottom,
	}
}

// quiet is the white margin around a QR code, in modules. Readers make do with less than the four
// of ISO/IEC 18004, and there is little room.
const quiet = 2

// picture is a QR code, two rows of it in a line of half blocks; none where the terminal cannot
// show it. Its colors are fixed, black on white whatever the theme: a reader may not know an
// inverted one.
func (v *Console) picture(c Code) []string {
	link := c.Complete
	if link == "" {
		link = c.URL
	}
	code, err := qr.Encode(link, qr.L)
	if err != nil || c.ASCII || !v.Paint.On {
		return nil
	}
	var lines []string
	for y := -quiet; y < code.Size+quiet; y += 2 {
		line := "\x1b[38;5;16;48;5;231m"
		for x := -quiet; x < code.Size+quiet; x++ {
			line += string([]rune(" ▀▄█")[bit(code.Black(x, y))+2*bit(code.Black(x, y+1))])
		}
		lines = append(lines, line+"\x1b[0m")
	}
	return lines
}

func bit(black bool) int {
	if black {
		return 1
	}
	return 0
}

// abreast puts a text beside a picture, in its middle.
func abreast(picture, words []string) []string {
	lines, first := make([]string, max(len(picture), len(words))), max(0, (len(picture)-len(words))/2)
	wide := widest(picture)
	for i := range lines {
		if i < len(picture) {
			lines[i] = picture[i] + "   "
		} else {
			lines[i] = strings.Repeat(" ", wide+3)
		}
		if at := i - first; at >= 0 && at < len(words) {
			lines[i] += words[at]
		}
	}
	return lines
}

func widest(lines []string) int {
	wide := 0
	for _, line := range lines {
		wide = max(wide, view.Visible(line))
	}
	return wide
}

// linesOf is how many lines a terminal needs, which breaks what is too long.
func linesOf(lines []string, columns int) int {
	n := 0
	for _, line := range lines {
		n += 1 + max(0, view.Visible(line)-1)/columns
	}
	return n
}
