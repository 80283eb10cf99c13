// Google's own in-memory Pub/Sub, served on the address given: the tests' stand-in.
package main

import (
	"fmt"
	"os"

	"cloud.google.com/go/pubsub/pstest"
)

func main() {
	server := pstest.NewServerWithAddress(os.Args[1])
	defer server.Close()
	fmt.Println(server.Addr)
	select {}
}
