//go:build unix

package testserver

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Postgres starts a PostgreSQL server with an empty database, and returns its URL. The user needs no password.
func Postgres(t T) (url string) {
	t.Helper()
	programs, owner := postgresPrograms(t), postgresOwner(t)
	// Not t.TempDir: its parent is closed to other users.
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("postgres: %v", err)
		}
	})
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatalf("postgres: %v", err)
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(programs, name), args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
		return cmd
	}

	data := filepath.Join(dir, "data")
	initdb := command("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	addr := FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	server := command("postgres", "-D", data, "-h", "127.0.0.1", "-p", port, "-k", dir, "-F") // -F: no fsync
	Start(t, "postgres", server).WaitReady(t, func(ctx context.Context) error {
		out, err := exec.CommandContext(ctx, filepath.Join(programs, "pg_isready"), "-h", "127.0.0.1", "-p", port, "-U", "postgres").CombinedOutput()
		if err != nil {
			return fmt.Errorf("pg_isready: %w: %s", err, out)
		}
		return nil
	})
	return "postgres://postgres@" + addr + "/postgres?sslmode=disable"
}

// postgresPrograms is the folder of the newest PostgreSQL's programs: Debian keeps them out of PATH.
func postgresPrograms(t T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		t.Fatalf("postgres: %v", err)
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, byVersion))
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		t.Fatalf("initdb is neither under /usr/lib/postgresql nor in PATH; `make deps` installs PostgreSQL")
	}
	return filepath.Dir(path)
}

// byVersion orders paths by the number in them: 9 before 15.
func byVersion(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// postgresOwner is who the server runs as: PostgreSQL refuses root, so root becomes its user, or nobody.
func postgresOwner(t T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil // as ourselves
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatalf("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
	return nil
}
