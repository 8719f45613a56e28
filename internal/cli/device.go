package cli

import (
	"context"

	"github.com/ambit-auth/ambit"
	"github.com/ambit-auth/ambit/internal/console"
	"github.com/ambit-auth/ambit/internal/text"
	"github.com/ambit-auth/ambit/oauth"
)

// asksForCode reports whether a login with a code for another device was asked for so that it begins
// though nobody is known to be here: by a flag anywhere, by other settings as --no-browser is.
func (r *invocation) asksForCode() bool {
	return r.settings.Device && (r.settings.FromFlag("device") || !r.settings.NoInput && !r.env.InCI())
}

// showCodes lets a login go by a code for another device where somebody may read it, and prefers
// that where no page can be shown and nobody named a browser.
func (r *invocation) showCodes(ui *ambit.UI) {
	if !r.interactive() && !r.asksForCode() {
		return
	}
	if r.interactive() && r.visit == nil && r.settings.Browser == "" && !r.settings.NoBrowser && r.env.Get("BROWSER") == "" {
		ui.Remote = r.env.Remote()
	}
	why := ui.Remote
	if r.settings.Device {
		why = ""
	}
	ui.Code = func(ctx context.Context, c oauth.DeviceCode) {
		r.console.ShowCode(ctx, console.Code{
			Why: why, User: text.Printable(c.UserCode), URL: text.Printable(c.URL), Complete: text.Printable(c.Complete),
			Expires: c.Expires, ASCII: !r.env.UTF8(),
		})
	}
}
