//go:build tools

// Package engine pins the Pulumi engine so that `go build` can make it where its download is blocked.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
