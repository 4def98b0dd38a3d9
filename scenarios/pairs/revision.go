package pairs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coldcurve/coldcurve/scenarios"
)

// worktree is a revision checked out beside a repository.
type worktree struct{ repository, folder string }

// removal bounds how long git may take to forget a worktree.
const removal = time.Minute

// remove takes a worktree away. A signal to the whole group of processes, as a
// terminal's and timeout's are, may end git here, too: then the folder is taken
// away without it, and git is told after that.
func (t worktree) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removal)
	defer cancel()
	// Twice: one that git was making when it was interrupted is locked.
	_, err := git(ctx, t.repository, "worktree", "remove", "--force", "--force", t.folder)
	if err == nil {
		return nil
	}
	if gone := errors.Join(os.RemoveAll(t.folder), t.prune(ctx)); gone != nil {
		return fmt.Errorf("remove worktree %s: %w; git worktree prune in %s forgets it", t.folder, errors.Join(err, gone), t.repository)
	}
	return nil
}

// prune has git forget worktrees whose folders are gone.
func (t worktree) prune(ctx context.Context) error {
	_, err := git(ctx, t.repository, "worktree", "prune")
	return err
}

// commit is what REVISION or REVISION:FOLDER names.
type commit struct {
	ref, folder string // as they are given
	named       bool   // there is a folder
	from        string // the folder that is looked from, absolute
	repository  string // its top folder
	id          string
}

func (w *Workshop) commit(ctx context.Context, given string) (c commit, err error) {
	c.ref, c.folder, c.named = strings.Cut(given, ":")
	if c.from, err = w.home(c.named); err != nil {
		return c, err
	}
	if c.repository, err = git(ctx, c.from, "rev-parse", "--show-toplevel"); err != nil {
		return c, &UsageError{fmt.Errorf("%w: rev: takes a revision of the git repository around %s; where there is none, give a folder with the function's code", err, c.from)}
	}
	if c.id, err = git(ctx, c.repository, "rev-parse", "--verify", "--quiet", "--end-of-options", c.ref+"^{commit}"); err != nil {
		return c, &UsageError{fmt.Errorf("git knows no revision %q in %s", c.ref, c.repository)}
	}
	return c, nil
}

// revision checks out REVISION or REVISION:FOLDER. Without a folder the
// scenario's own code is that revision's; with one it holds the function's code.
func (w *Workshop) revision(ctx context.Context, s *Side, given string) error {
	c, err := w.commit(ctx, given)
	if err != nil {
		return err
	}
	at, err := w.folder("revision")
	if err != nil {
		return err
	}
	w.log("checking out %s (%.12s)", c.ref, c.id)
	w.worktrees = append(w.worktrees, worktree{c.repository, at}) // first: git may be cut short
	if _, err := git(ctx, c.repository, "worktree", "add", "--detach", "--force", at, c.id); err != nil {
		return err
	}
	s.What = fmt.Sprintf("revision %s (%.12s)", c.ref, c.id)
	if c.named {
		s.What += ", the code in " + c.folder
		name, path, several := strings.Cut(c.folder, "=")
		if !several {
			name, path = "", c.folder
		}
		path = filepath.Join(at, path)
		if several {
			path = name + "=" + path
		}
		return w.code(ctx, s, path)
	}
	if err := w.command(ctx, at); err != nil {
		return err
	}
	inside, err := filepath.Rel(c.repository, c.from)
	if err != nil {
		return err
	}
	s.Folder = filepath.Join(at, inside)
	return nil
}

// compileAll builds the functions in Go whose code is the scenario's own, in the
// side's folder.
func (w *Workshop) compileAll(ctx context.Context, s *Side) error {
	if _, only := s.Overrides.Code[""]; only || slices.Contains(scenarios.Suite(), s.Scenario) {
		return nil
	}
	text, err := os.ReadFile(s.Scenario)
	if err != nil {
		return nil // it may be a name, and what is wrong with it is for Parse to say
	}
	from := cmp.Or(s.Folder, filepath.Dir(s.Scenario))
	for name, code := range scenarios.GoSources(text) {
		if _, replaced := s.Overrides.Code[name]; replaced {
			continue
		}
		source := code
		if !filepath.IsAbs(code) {
			source = filepath.Join(from, code)
		}
		to, err := w.compiled(ctx, source)
		if err != nil {
			return err
		}
		if to != source {
			s.replace(name, to)
		}
	}
	return nil
}

// home is the folder whose repository is meant: the working folder's where a
// folder is named, else the scenario's.
func (w *Workshop) home(named bool) (string, error) {
	home := "."
	if info, err := os.Stat(w.Scenario); !named {
		if err != nil || info.IsDir() {
			return "", &UsageError{fmt.Errorf("scenario %s is no file whose code has revisions: write rev:REVISION:FOLDER", w.Scenario)}
		}
		home = filepath.Dir(w.Scenario)
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(home)
}

// built gives a folder whose function can be executed: itself, or where it holds
// Go source and no executable, one with what was built of it.
func (w *Workshop) built(ctx context.Context, folder string) (string, error) {
	if err := w.command(ctx, folder); err != nil {
		return "", err
	}
	return w.compiled(ctx, folder)
}

// compiled is built without the user's own way.
func (w *Workshop) compiled(ctx context.Context, folder string) (string, error) {
	if _, err := os.Stat(filepath.Join(folder, "bootstrap")); err == nil {
		return folder, nil
	}
	if sources, err := filepath.Glob(filepath.Join(folder, "*.go")); err != nil || len(sources) == 0 {
		return folder, err
	}
	to, err := w.folder("build")
	if err != nil {
		return "", err
	}
	w.log("building %s", folder)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(to, "bootstrap"), ".")
	build.Dir, build.Env = folder, append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	return to, output(build)
}

// command runs the user's own way to build.
func (w *Workshop) command(ctx context.Context, folder string) error {
	if w.Build == "" {
		return nil
	}
	w.log("in %s: %s", folder, w.Build)
	build := exec.CommandContext(ctx, "sh", "-c", w.Build)
	build.Dir = folder
	return output(build)
}

func output(cmd *exec.Cmd) error {
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(string(text)))
	}
	return nil
}

// patience is how long git has to clear up when it is interrupted.
const patience = 10 * time.Second

// git runs git in a folder and gives what it prints.
func git(ctx context.Context, folder string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = folder
	// Killed, it would leave half a worktree, locked; it takes that back when it hears.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, patience
	text, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("git %s: %s", args[0], cmp.Or(strings.TrimSpace(string(exit.Stderr)), exit.String()))
	}
	return strings.TrimSpace(string(text)), err
}
