// Runs the Go example of docs/verify-a-token.md, which the test puts beside it as package identitytoken.
//
//	verify 'JSON'    { issuer, audience, jwksUri, parties, levels, clock }
//
// Reads tokens from standard input, one a line; prints "accepted" or the refusal for each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"tunnus.example/peers/identitytoken"
)

func main() {
	var settings struct {
		Issuer, Audience, JwksUri string
		Parties, Levels           []string
		Clock                     int64
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &settings); err != nil {
		panic(err)
	}
	now := func() time.Time { return time.Unix(settings.Clock, 0) }
	verifier, err := identitytoken.New(context.Background(),
		settings.Issuer, settings.Audience, settings.JwksUri, settings.Parties, settings.Levels, now)
	if err != nil {
		panic(err)
	}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := verifier.Verify(strings.TrimSuffix(line, "\n")); err != nil {
			fmt.Println("refused:", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("accepted")
		}
	}
}
