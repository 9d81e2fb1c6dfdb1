package live

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// chunk is how much a link carries at once: small, so that a narrow one is narrow evenly.
	chunk = 4 << 10
	// chunksMax are on their way at most; then a sender waits, as before any full pipe.
	chunksMax = 256
)

// link carries what two nodes say to each other, until a test cuts it, slows it or thins it.
//
//	node j ──dials──> listener ─┬─ wait until due ─ wait until whole ─ at its pace ─┬─> node i
//	                            └──────────────── and back alike ───────────────────┘
type link struct {
	listener net.Listener
	to       string
	ended    chan struct{}

	mutex sync.Mutex
	// whole is closed while bytes pass.
	whole chan struct{}
	delay time.Duration
	// pace is in bytes a second; 0 is without limit.
	pace  int
	lines map[net.Conn]bool
}

func newLink(t *testing.T, to string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	made := &link{listener: listener, to: to, ended: make(chan struct{}), whole: make(chan struct{}), lines: map[net.Conn]bool{}}
	close(made.whole)
	t.Cleanup(made.end)
	go made.serve()
	return made
}

func (l *link) serve() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.connect(near)
	}
}

// connect waits with a new connection, too, while the link is cut.
func (l *link) connect(near net.Conn) {
	l.keep(near)
	defer l.forget(near)
	if !l.pass() {
		return
	}
	far, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	l.keep(far)
	defer l.forget(far)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			l.carry(way[0], way[1])
			near.Close()
			far.Close()
		})
	}
	both.Wait()
}

// passing is a chunk on its way.
type passing struct {
	bytes []byte
	due   time.Time
}

func (l *link) carry(from io.Reader, to io.Writer) {
	way := make(chan passing, chunksMax)
	gone := make(chan struct{})
	go func() {
		defer close(way)
		for {
			bytes := make([]byte, chunk)
			n, err := from.Read(bytes)
			if err != nil {
				return
			}
			delay, _ := l.quality()
			select {
			case way <- passing{bytes[:n], time.Now().Add(delay)}:
			case <-gone:
				return
			}
		}
	}()
	defer close(gone)
	for one := range way {
		time.Sleep(time.Until(one.due))
		if _, pace := l.quality(); pace > 0 {
			time.Sleep(time.Second * time.Duration(len(one.bytes)) / time.Duration(pace))
		}
		if !l.pass() {
			return
		}
		if _, err := to.Write(one.bytes); err != nil {
			return
		}
	}
}

// pass waits until the link is whole, and tells whether it still is in use.
func (l *link) pass() bool {
	l.mutex.Lock()
	whole := l.whole
	l.mutex.Unlock()
	select {
	case <-whole:
		return true
	case <-l.ended:
		return false
	}
}

func (l *link) quality() (time.Duration, int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.delay, l.pace
}

// cut holds back all bytes, as a broken cable does: neither side is told.
func (l *link) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.whole = make(chan struct{})
}

// heal lets bytes pass again, first those that were held back.
func (l *link) heal() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	close(l.whole)
}

// hangUp ends the connections that there are; what was on its way is lost.
func (l *link) hangUp() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for line := range l.lines {
		line.Close()
	}
}

// slow sets how late and how thinly bytes come.
func (l *link) slow(delay time.Duration, pace int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.delay, l.pace = delay, pace
}

func (l *link) keep(line net.Conn) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lines[line] = true
}

func (l *link) forget(line net.Conn) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.lines, line)
	line.Close()
}

func (l *link) end() {
	l.listener.Close()
	close(l.ended)
	l.hangUp()
}

func (l *link) port() int { return l.listener.Addr().(*net.TCPAddr).Port }

// links are all links of a network, by the numbers of their two nodes.
type links map[[2]int]*link

// linked lays out a network in which each two nodes have one link.
func linked(t *testing.T, validators int) (*network, links) {
	t.Helper()
	net := layOut(t, validators)
	all := links{}
	for j, dials := range net.nodes {
		var peers []string
		for i, other := range net.nodes[:j] {
			one := newLink(t, fmt.Sprintf("127.0.0.1:%d", other.port))
			all[[2]int{i, j}] = one
			peers = append(peers, fmt.Sprintf("%s@127.0.0.1:%d", peerID(t, dials, other), one.port()))
		}
		dials.configure("persistent_peers", fmt.Sprintf("%q", strings.Join(peers, ",")))
	}
	return net, all
}

// peerID is how a node's peers know another.
func peerID(t *testing.T, node, other *node) string {
	t.Helper()
	found := regexp.MustCompile(fmt.Sprintf(`(\w{40})@127\.0\.0\.1:%d\b`, other.port)).FindStringSubmatch(node.file("config.toml"))
	if found == nil {
		t.Fatalf("%s does not know of port %d", node.home, other.port)
	}
	return found[1]
}

// between are the links from some nodes to all others.
func (l links) between(some ...int) (found []*link) {
	inside := map[int]bool{}
	for _, node := range some {
		inside[node] = true
	}
	for ends, one := range l {
		if inside[ends[0]] != inside[ends[1]] {
			found = append(found, one)
		}
	}
	return found
}

// file is the text of one of a node's files of configuration.
func (n *node) file(name string) string {
	n.t.Helper()
	text, err := os.ReadFile(filepath.Join(n.home, "config", name))
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

// configure changes the first setting of a name in a node's config.toml.
func (n *node) configure(name, value string) {
	n.t.Helper()
	path := filepath.Join(n.home, "config", "config.toml")
	if err := os.WriteFile(path, []byte(set(n.file("config.toml"), name, value)), 0o600); err != nil {
		n.t.Fatal(err)
	}
}
