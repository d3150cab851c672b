package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Row is one directory row. Its id may be any bytes.
type Row struct {
	Kind  string
	ID    string
	Value []byte
}

var rowKind = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

const (
	directoryPrefix = "$KV." + directoryBucket + "."
	headSubject     = directoryPrefix + "HEAD"
	nextSubject     = directoryPrefix + "NEXT"

	chunkVersion = 1
	opPut        = 1
	opDelete     = 2

	chunkRows  = 256
	chunkBytes = 256 << 10
)

// chunk is a message of rows of one kind: a version, then per row the operation, the id and, for a put, the value,
// each behind its length.
type chunk struct {
	rows int
	data []byte
}

func (c *chunk) add(op byte, id string, value []byte) {
	if c.rows == 0 {
		c.data = append(c.data, chunkVersion)
	}
	c.data = append(c.data, op)
	c.data = binary.AppendUvarint(c.data, uint64(len(id)))
	c.data = append(c.data, id...)
	if op == opPut {
		c.data = binary.AppendUvarint(c.data, uint64(len(value)))
		c.data = append(c.data, value...)
	}
	c.rows++
}

func (c *chunk) full() bool { return c.rows >= chunkRows || len(c.data) >= chunkBytes }

var errChunk = errors.New("a chunk of directory rows is damaged")

// decodeChunk calls fn for each row; value is nil for a deleted one, and otherwise shares data's memory.
func decodeChunk(data []byte, fn func(id string, value []byte)) error {
	if len(data) == 0 || data[0] != chunkVersion {
		return errChunk
	}
	rest := data[1:]
	field := func() ([]byte, bool) {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return nil, false
		}
		end := size + int(n)
		out := rest[size:end:end]
		rest = rest[end:]
		return out, true
	}
	for len(rest) > 0 {
		op := rest[0]
		rest = rest[1:]
		id, ok := field()
		if !ok {
			return errChunk
		}
		switch op {
		case opDelete:
			fn(string(id), nil)
		case opPut:
			value, ok := field()
			if !ok {
				return errChunk
			}
			fn(string(id), value)
		default:
			return errChunk
		}
	}
	return nil
}

func chunkSubject(generation uint64, kind string, number int) string {
	return fmt.Sprintf("%sg%d.%s.%d", directoryPrefix, generation, kind, number)
}

// parseChunkSubject tells chunks from HEAD and NEXT.
func parseChunkSubject(subject string) (generation uint64, kind string, number int, ok bool) {
	key, ok := strings.CutPrefix(subject, directoryPrefix+"g")
	if !ok {
		return 0, "", 0, false
	}
	parts := strings.Split(key, ".")
	if len(parts) != 3 || !rowKind.MatchString(parts[1]) {
		return 0, "", 0, false
	}
	generation, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return 0, "", 0, false
	}
	if number, err = strconv.Atoi(parts[2]); err != nil || number < 0 {
		return 0, "", 0, false
	}
	return generation, parts[1], number, true
}

// head names the generations in force, oldest first: a row's newest generation counts.
type head struct {
	Revision    uint64       `json:"-"` // the sequence under which HEAD is stored; 0 for none
	Generations []generation `json:"generations"`
}

type generation struct {
	Number uint64 `json:"number"`
	Chunks int    `json:"chunks"`           // how many make it whole
	Merged bool   `json:"merged,omitempty"` // written by Compact: nothing in it is superseded
}

func parseHead(data []byte) (head, error) {
	var h head
	if err := json.Unmarshal(data, &h); err != nil {
		return head{}, fmt.Errorf("the directory's HEAD is damaged: %w", err)
	}
	last := uint64(0)
	for _, g := range h.Generations {
		if g.Number <= last || g.Chunks < 0 {
			return head{}, errors.New("the directory's HEAD is damaged")
		}
		last = g.Number
	}
	return h, nil
}

func (h head) position(number uint64) int {
	return slices.IndexFunc(h.Generations, func(g generation) bool { return g.Number == number })
}

func (h head) newest() uint64 {
	if len(h.Generations) == 0 {
		return 0
	}
	return h.Generations[len(h.Generations)-1].Number
}
