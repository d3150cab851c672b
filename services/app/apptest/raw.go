package apptest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/signalbox-hq/signalbox/services/app"
	"github.com/signalbox-hq/signalbox/services/store"
)

// PublishBlock publishes a message with any bytes for a block of headers, as no client library would, and returns the
// sequence under which it is stored.
func (a *Agency) PublishBlock(subject, headers string, data []byte) uint64 {
	a.rig.T.Helper()
	sequence, err := a.publishBlock(subject, headers, data)
	a.rig.must(err)
	return sequence
}

// publishBlock speaks the protocol of NATS by hand.
func (a *Agency) publishBlock(subject, headers string, data []byte) (uint64, error) {
	plain, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimPrefix(a.rig.natsURL, "tls://"), "nats://"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = plain.Close() }()
	if err := plain.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	greeting, err := bufio.NewReaderSize(plain, 1).ReadString('\n') // no further: what follows is TLS
	if err != nil {
		return 0, err
	}
	var info struct {
		Nonce string `json:"nonce"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(greeting, "INFO ")), &info); err != nil {
		return 0, err
	}
	config := a.rig.Roots.Clone()
	config.ServerName = "localhost"
	conn := tls.Client(plain, config)
	hello, err := a.signIn(info.Nonce)
	if err != nil {
		return 0, err
	}
	inbox := store.InboxPrefix(a.ID) + ".by-hand"
	if _, err := fmt.Fprintf(conn, "CONNECT %s\r\nSUB %s 1\r\nHPUB %s %s %d %d\r\n%s%s\r\n", hello, inbox, subject, inbox,
		len(headers), len(headers)+len(data), headers, data); err != nil {
		return 0, err
	}
	for answers := bufio.NewReader(conn); ; {
		line, err := answers.ReadString('\n')
		switch {
		case err != nil:
			return 0, err
		case strings.HasPrefix(line, "-ERR"):
			return 0, fmt.Errorf("NATS: %s", strings.TrimSpace(line))
		case !strings.HasPrefix(line, "MSG "):
			continue
		}
		if line, err = answers.ReadString('\n'); err != nil {
			return 0, err
		}
		var ack struct {
			Seq   uint64          `json:"seq"`
			Error json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal([]byte(line), &ack); err != nil || ack.Seq == 0 {
			return 0, fmt.Errorf("not stored: %s", strings.TrimSpace(line))
		}
		return ack.Seq, nil
	}
}

func (a *Agency) signIn(nonce string) ([]byte, error) {
	seed, err := os.ReadFile(filepath.Join(a.Identity, app.SeedFile))
	if err != nil {
		return nil, err
	}
	key, err := nkeys.FromSeed([]byte(strings.TrimSpace(string(seed))))
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	signed, err := key.Sign([]byte(nonce))
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"verbose": false, "pedantic": false, "tls_required": true, "headers": true, "no_responders": true,
		"nkey": public, "sig": base64.RawURLEncoding.EncodeToString(signed), "protocol": 1, "version": "0", "lang": "by hand",
	})
}
