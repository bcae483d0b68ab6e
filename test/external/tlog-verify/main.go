// Verifies an exported ledger with the Go team's code for transparency logs, and none of ours:
// golang.org/x/mod/sumdb/note opens the checkpoint, golang.org/x/mod/sumdb/tlog authenticates every tile against it,
// hashes every entry, rebuilds the root, and checks a proof.
//
// Usage: tlog-verify DIR VERIFIER-KEY [PROOF-FILE]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder struct{ dir string }

func (folder) Height() int                             { return height }
func (folder) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		read, err := f.read(tile.Path())
		if err != nil {
			return nil, err
		}
		data = append(data, read)
	}
	return data, nil
}

// read opens the file of a Go tile path, which C2SP writes without the height.
func (f folder) read(path string) ([]byte, error) {
	path = strings.Replace(path, "tile/8/", "tile/", 1)
	path = strings.Replace(path, "tile/data/", "tile/entries/", 1)
	return os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(path)))
}

func (f folder) entries(size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		bundle, err := f.read(tlog.Tile{H: height, L: -1, N: n, W: int(width)}.Path())
		if err != nil {
			return nil, err
		}
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	if int64(len(entries)) != size {
		return nil, fmt.Errorf("%d entries under a checkpoint of %d", len(entries), size)
	}
	return entries, nil
}

func openCheckpoint(signed []byte, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// rebuild hashes the tree from the entries alone.
func rebuild(entries [][]byte) (tlog.Hash, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			return tlog.Hash{}, err
		}
		stored = append(stored, hashes...)
	}
	return tlog.TreeHash(int64(len(entries)), reader)
}

func checkProof(text []byte, key string, entries [][]byte) error {
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize {
			return fmt.Errorf("bad hash %q", line)
		}
		var hash tlog.Hash
		copy(hash[:], raw)
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint(checkpoint, key)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index]))
}

func run(dir, key string, proofs []string) error {
	log := folder{dir}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(signed, key)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	entries, err := log.entries(tree.N)
	if err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	root, err := rebuild(entries)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("entries hash to %v, the checkpoint says %v", root, tree.Hash)
	}
	reader := tlog.TileHashReader(tree, log)
	for i, entry := range entries {
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))})
		if err != nil {
			return fmt.Errorf("tiles of entry %d: %w", i, err)
		}
		if hashes[0] != tlog.RecordHash(entry) {
			return fmt.Errorf("entry %d is not the leaf of its tile", i)
		}
	}
	for _, path := range proofs {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := checkProof(text, key, entries); err != nil {
			return fmt.Errorf("proof: %w", err)
		}
	}
	fmt.Printf("verified %d entries under %v\n", tree.N, tree.Hash)
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: tlog-verify DIR VERIFIER-KEY [PROOF-FILE...]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
