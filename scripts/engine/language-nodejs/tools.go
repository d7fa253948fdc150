//go:build tools

// Package engine pins the Node language host so that `go build` can make it where its download is blocked.
package engine

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
