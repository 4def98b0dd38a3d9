package container

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/coldcurve/coldcurve/analysis/sample"
	"github.com/coldcurve/coldcurve/platform"
	"github.com/coldcurve/coldcurve/platform/reference/sandbox"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
)

// Where an image built here has the function's files and the runtime clients.
const (
	taskFolder   = "/var/task"
	clientFolder = "/opt/coldcurve"
)

// image is what a function's containers are created from.
type image struct {
	reference  string
	entrypoint []string // nil is the image's own
	command    []string // nil is the image's own
	workdir    string   // "" is the image's own
}

// imageOf finds, pulls or builds a function's image, once.
func (s *Sandbox) imageOf(ctx context.Context, spec *sandbox.Spec) (*image, error) {
	s.building.Lock()
	defer s.building.Unlock()
	if have, ok := s.images[spec]; ok {
		return have, nil
	}
	made, err := s.findImage(ctx, spec)
	if err != nil {
		return nil, err
	}
	s.images[spec] = made
	return made, nil
}

func (s *Sandbox) findImage(ctx context.Context, spec *sandbox.Spec) (*image, error) {
	f := &spec.Function
	switch f.Runtime {
	case platform.Image:
		i := &image{reference: f.Image}
		if f.Handler != "" {
			i.command = []string{f.Handler}
		}
		return i, s.have(ctx, f.Image)
	case platform.Go:
		if err := checkBootstrap(f.Code); err != nil {
			return nil, err
		}
		return s.build(ctx, f, "scratch", "", []string{taskFolder + "/bootstrap"})
	case platform.NodeJS:
		return s.buildOn(ctx, f, "node", "bootstrap.mjs")
	case platform.Python:
		return s.buildOn(ctx, f, "python3", "bootstrap.py")
	default:
		return nil, fmt.Errorf("runtime %q: containers run image, go, nodejs and python", f.Runtime)
	}
}

// buildOn builds an image of a function that needs an interpreter.
func (s *Sandbox) buildOn(ctx context.Context, f *platform.Function, interpreter, runtimeClient string) (*image, error) {
	base := s.options.Bases[f.Runtime]
	if s.options.RuntimeClients == "" {
		return nil, fmt.Errorf("runtime %s: no folder with its runtime client is given", f.Runtime)
	}
	if err := s.have(ctx, base); err != nil {
		return nil, err
	}
	return s.build(ctx, f, base, filepath.Join(s.options.RuntimeClients, runtimeClient), []string{interpreter, clientFolder + "/" + runtimeClient})
}

var tagVersion = regexp.MustCompile(`:(\d+(\.\d+)*)`)

// Interpreter implements sandbox.Interpreting, by the tag of the image that a
// folder's is built on.
func (s *Sandbox) Interpreter(spec *sandbox.Spec) (what, version string) {
	base := s.options.Bases[spec.Function.Runtime]
	if found := tagVersion.FindStringSubmatch(base); found != nil {
		version = found[1]
	}
	return "the image " + base, version
}

// checkBootstrap finds what is wrong with a Go function before a container
// has to be started for it.
func checkBootstrap(folder string) error {
	info, err := os.Stat(filepath.Join(folder, "bootstrap"))
	if err == nil && (!info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0) {
		err = &fs.PathError{Op: "execute", Path: filepath.Join(folder, "bootstrap"), Err: fs.ErrPermission}
	}
	if err != nil {
		return unfit(err)
	}
	return nil
}

// unfit is the failure of a program that cannot be executed.
func unfit(err error) error {
	return &sandbox.Failure{Kind: sample.Init, Cause: err, Type: "Runtime.InvalidEntrypoint", Message: "Error: " + err.Error()}
}

// have sees to it that the engine has an image.
func (s *Sandbox) have(ctx context.Context, reference string) error {
	_, err := s.engine.ImageInspect(ctx, reference)
	switch {
	case err == nil:
		return nil
	case !errdefs.IsNotFound(err):
		return fmt.Errorf("find image %s: %w", reference, err)
	case s.options.NoPull:
		return fmt.Errorf("the Docker engine has no image %s: pull or build it", reference)
	}
	r, err := s.engine.ImagePull(ctx, reference, client.ImagePullOptions{})
	if err == nil {
		err = r.Wait(ctx)
	}
	if err != nil {
		return &PullError{Image: reference, Err: err}
	}
	return nil
}

// PullError says that the engine has no image of a name and gets none.
type PullError struct {
	Image string
	Err   error // what the engine says
}

func (e *PullError) Error() string { return fmt.Sprintf("pull image %s: %v", e.Image, e.Err) }
func (e *PullError) Unwrap() error { return e.Err }

// build makes an image of a function's folder on top of a base, with the
// runtime client where there is one. It goes with Forget, or at Close; what a
// build that fails has made goes at once.
func (s *Sandbox) build(ctx context.Context, f *platform.Function, base, runtimeClient string, entrypoint []string) (*image, error) {
	tag := fmt.Sprintf("coldcurve/function:%s-%.8s", s.owner, rand.Text()) // a process may have several sandboxes
	// The labels come first: each step makes an image, and one that is
	// interrupted leaves that of the step before.
	dockerfile := fmt.Sprintf("FROM %s\nLABEL %s=%q %s=%q %s=%q\nCOPY task %s\n",
		base, ownerLabel, s.owner, functionLabel, f.Name, imageLabel, tag, taskFolder)
	if runtimeClient != "" {
		dockerfile += "COPY client " + clientFolder + "\n"
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(pack(writer, dockerfile, f.Code, runtimeClient)) }()
	defer reader.Close()
	s.tags[tag] = true // the engine may have it, whatever comes of the request
	if err := s.engine.build(ctx, reader, tag); err != nil {
		err = fmt.Errorf("build an image of %s: %w", f.Code, err)
		if left := s.unbuild(tag); left != nil {
			err = fmt.Errorf("%w; what that has made may be there yet: %w", err, left)
		}
		return nil, err
	}
	return &image{reference: tag, entrypoint: entrypoint, workdir: taskFolder}, nil
}

func (e *engine) build(ctx context.Context, files io.Reader, tag string) error {
	// The first builder, because the second wants a session of its own protocol.
	r, err := e.ImageBuild(ctx, files, client.ImageBuildOptions{
		Tags: []string{tag}, Remove: true, ForceRemove: true, Context: files, Version: build.BuilderV1,
	})
	if err != nil {
		return err
	}
	defer r.Body.Close()
	return built(r.Body)
}

// unbuild removes what a build that failed has made. The engine may be at a step
// yet where the request was given up: what that makes has its labels.
func (s *Sandbox) unbuild(tag string) error {
	ctx, cancel := patiently()
	defer cancel()
	made, err := s.engine.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("label", imageLabel+"="+tag)})
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	var errs []error
	for _, i := range made.Items {
		errs = append(errs, s.engine.removeImage(ctx, i.ID))
	}
	return errors.Join(errs...)
}

// built reads how a build went.
func built(body io.Reader) error {
	for dec := json.NewDecoder(body); ; {
		var m jsonstream.Message
		switch err := dec.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != nil:
			return m.Error
		}
	}
}

// pack writes what an image is built from: the Dockerfile, the function's
// folder and the runtime client.
func pack(w io.Writer, dockerfile, folder, runtimeClient string) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))}); err != nil {
		return err
	}
	if _, err := io.Copy(t, bytes.NewReader([]byte(dockerfile))); err != nil {
		return err
	}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		return packFile(t, name, path.Join("task", filepath.ToSlash(below)))
	})
	if err != nil {
		return err
	}
	if runtimeClient != "" {
		if err := packFile(t, runtimeClient, path.Join("client", filepath.Base(runtimeClient))); err != nil {
			return err
		}
	}
	return t.Close()
}

// packFile adds one file, folder or link. Everybody may read it in the image:
// the instance's user owns nothing.
func packFile(t *tar.Writer, name, as string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(name); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err // a socket
	}
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = as, 0, 0, "", ""
	h.Mode |= 0o444
	if h.Mode&0o111 != 0 {
		h.Mode |= 0o111
	}
	if err := t.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}
