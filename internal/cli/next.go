package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ambit-auth/ambit/agent/diagnosis"
	"github.com/ambit-auth/ambit/scopes"
	"github.com/ambit-auth/ambit/scopes/provider"
)

// nextSteps are the commands and links that mend a gap.
func (r *run) nextSteps(p *project, h *held, gap scopes.Gap) []string {
	if len(gap.Lost) == 0 {
		return nil
	}
	plan := h.plan
	if plan == nil {
		plan = r.lastPlan(p, h.server)
	}
	if h.kind.Create == "" && h.grant.Credential.Kind == scopes.OAuthToken {
		return loginSteps(p, h, plan, gap)
	}
	return keySteps(h, plan, gap)
}

// lastPlan is what a negotiation would come to by what a server last said of itself; nil
// where nothing was kept of that. Nobody is asked: a status makes no request.
func (r *run) lastPlan(p *project, server provider.Server) *scopes.Plan {
	client, err := r.metadataClient()
	if err != nil {
		return nil
	}
	for _, s := range []provider.Server{server, p.server} {
		if as := client.CachedAuthorizationServer(s.Issuer); as != nil {
			advertised := as.ScopesSupported
			plan := scopes.Negotiate(scopes.Negotiation{Needs: p.needs, Implies: p.provider().Implies, Server: advertised})
			suggest(&plan, advertised)
			return &plan
		}
	}
	return nil
}

// keySteps mend what a key lacks: a box that was not ticked, or a word in the manifest for
// which there is no box.
func keySteps(h *held, plan *scopes.Plan, gap scopes.Gap) []string {
	var steps, boxes []string
	for _, e := range gap.Lost {
		if reason := withheldFor(plan, e); reason != "" {
			steps = append(steps, fmt.Sprintf("there may be no box for %s: %s; see %s", e.Name(), plain(reason), place(e.File, e.Line)))
		} else {
			boxes = append(boxes, e.Name())
		}
	}
	if len(boxes) == 0 {
		return steps
	}
	step := "make a key that also has: " + strings.Join(boxes, ", ")
	if link, ok := h.server.Expand(h.kind.Create); ok && link != "" {
		step += "; at " + link
	}
	return append([]string{step}, steps...)
}

// loginSteps mend what a login lacks: a box that was left out is ticked the next time,
// and what was never asked for is a matter of the manifest or the server.
func loginSteps(p *project, h *held, plan *scopes.Plan, gap scopes.Gap) []string {
	var steps, declined, unasked []string
	for _, e := range gap.Lost {
		_, _, asked := e.MetBy(h.credential.Asked, p.provider().Implies)
		switch reason := withheldFor(plan, e); {
		case reason != "" && !asked:
			steps = append(steps, fmt.Sprintf("%s was not asked for: %s; see %s", e.Name(), plain(reason), place(e.File, e.Line)))
		case asked || h.credential.Asked.Len() == 0:
			declined = append(declined, e.Name())
		default:
			unasked = append(unasked, e.Name())
		}
	}
	var remarks []string
	if len(declined) > 0 {
		remarks = append(remarks, "and leave the boxes ticked")
		steps = append([]string{diagnosis.NotOffered(p.provider(), h.server, declined)}, steps...)
	}
	if len(unasked) > 0 {
		remarks = append(remarks, fmt.Sprintf("the last one did not ask for %s; %s says whether it can", strings.Join(unasked, ", "), inProject("ambit plan", p)))
	}
	if len(remarks) == 0 {
		return steps
	}
	return append([]string{fmt.Sprintf("%s (%s)", loginAgain(p), strings.Join(remarks, "; "))}, steps...)
}

// withheldFor is why a plan does not ask for what a need names; "" where it does, or
// nobody planned.
func withheldFor(plan *scopes.Plan, e scopes.Need) string {
	if plan == nil {
		return ""
	}
	for _, item := range plan.Scopes {
		if item.Decision == scopes.DecisionWithhold && item.Need.File == e.File && item.Need.Line == e.Line && item.Need.Name() == e.Name() {
			return item.Reason
		}
	}
	return ""
}

// loginAgain is the command that asks for everything anew: a refresh cannot widen
// a grant (RFC 6749 §6). p is nil where none is open.
func loginAgain(p *project) string { return inProject("ambit login", p) }

// inProject is a command with the flags that lead it to the same manifest, server and
// programs.
func inProject(command string, p *project) string {
	if p == nil {
		return command
	}
	words := []string{forManifest(command, p.manifest.File)}
	if p.chosen && p.server.Name != p.manifest.Server {
		words = append(words, "--server "+shellWord(p.server.Name))
	}
	for _, program := range p.programs {
		words = append(words, "--program "+shellWord(program))
	}
	return strings.Join(words, " ")
}

// forManifest is a command with the flag that leads it to a manifest which it would not
// find by itself.
func forManifest(command, path string) string {
	if path == manifestName {
		return command
	}
	return command + " -f " + shellWord(path)
}

// at is the project as it is where someone chose this server.
func (p *project) at(s provider.Server) *project {
	there := *p
	there.server, there.chosen = s, true
	return &there
}

// shellWord quotes a word where a shell would not take it as one.
func shellWord(word string) string {
	safe := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !safe(c) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(plain(word), "'", `'\''`) + "'"
}

// missingLines name what is missing at level or above: where the manifest asks for it,
// and what for.
func missingLines(gap scopes.Gap, level scopes.Level) []string {
	var lines []string
	for _, e := range gap.Lost {
		if e.Level >= level {
			lines = append(lines, fmt.Sprintf("%s: %s scope %s is not granted: %s", place(e.File, e.Line), e.Level, e.Name(), why(e)))
		}
	}
	return slices.Clip(lines)
}
