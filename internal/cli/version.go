package cli

import (
	"context"

	"github.com/ambit-auth/ambit/internal/view"
	"github.com/spf13/cobra"
)

func versionCommand(r *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArguments,
		RunE:  r.action(func(context.Context) (view.View, error) { return view.ReadVersion(), nil }),
	}
}
