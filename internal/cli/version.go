package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (r *run) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArguments,
		RunE:  r.action(func(context.Context) (view, error) { return readVersion(), nil }),
	}
}
