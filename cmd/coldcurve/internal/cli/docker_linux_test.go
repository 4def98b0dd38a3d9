package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coldcurve/coldcurve/analysis/strict/stricttest"
	dockerplatform "github.com/coldcurve/coldcurve/platform/docker"
	"github.com/coldcurve/coldcurve/platform/owner"
	"github.com/coldcurve/coldcurve/platform/platformtest/need"
)

// TestDockerStory runs scenarios on a real engine.
func TestDockerStory(t *testing.T) {
	if _, err := dockerplatform.Facts(t.Context(), dockerplatform.Options{}); err != nil {
		need.Missing(t, err.Error())
	}
	for _, story := range []string{"docker", "docker_matrix"} {
		tell(t, story, func(env *testscript.Env) error {
			env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			return nil
		})
	}
}

func TestDoctorOnDocker(t *testing.T) {
	no := dockerEngine(nil, errors.New("platform docker: no engine"))
	if no.Status != "no" || no.Detail != "no engine" || no.Remedy == "" {
		t.Errorf("without an engine: %+v", no)
	}
	yes := dockerEngine(map[string]string{"engine": "Docker 20.10", "oci_runtimes": "crun, runc"}, nil)
	if yes.Status != "yes" || yes.Detail != "Docker 20.10; it has crun, runc" {
		t.Errorf("with one: %+v", yes)
	}
}

// TestCleanupOnDocker has an engine with what a run has left that is gone, one
// that is under way and one that cannot be seen. Somebody else cleans up, too.
func TestCleanupOnDocker(t *testing.T) {
	me, err := owner.Self()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(me.String(), "-")
	gone, hidden := parts[0]+"-"+parts[1]+"-1", "1-"+parts[1]+"-1"
	for name, tt := range map[string]struct {
		command cleanupCmd
		want    []string
	}{
		"all that is nobody's": {cleanupCmd{}, []string{"dead", "sha256:dead"}},
		"and what is hidden":   {cleanupCmd{All: true}, []string{"dead", "hidden", "sha256:dead"}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := &shelf{busy: "dead", containers: map[string]string{"alive": me.String(), "dead": gone, "hidden": hidden}, images: map[string]string{"sha256:dead": gone}}
			t.Setenv("DOCKER_HOST", engine.serve(t))
			var out bytes.Buffer
			w := &World{Stdout: &out, Stderr: &out, Now: time.Now}
			tt.command.Platform, tt.command.JSON = "docker", true
			if err := tt.command.Run(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, engine.removed); diff != "" {
				t.Errorf("removed (-want +got):\n%s", diff)
			}
			if err := stricttest.Schema(t, cleanupSchemaJSON).Validate(stricttest.Value(t, out.Bytes())); err != nil {
				t.Error(err)
			}
			var doc struct{ Leftovers []found }
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Leftovers) != 4 {
				t.Fatalf("%s: %v", out.Bytes(), err)
			}
			for _, l := range doc.Leftovers {
				if l.Taken != (l.Why == "") || strings.HasPrefix(l.Name, "container alive") && l.Why != "its run is under way" {
					t.Errorf("%+v", l)
				}
			}
		})
	}
}

// TestCleanupOfNothing wants a list without an entry, as the schema has it.
func TestCleanupOfNothing(t *testing.T) {
	t.Setenv("DOCKER_HOST", new(shelf).serve(t))
	var out bytes.Buffer
	c := cleanupCmd{Platform: "docker", JSON: true}
	if err := c.Run(t.Context(), &World{Stdout: &out, Stderr: &out, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	if err := stricttest.Schema(t, cleanupSchemaJSON).Validate(stricttest.Value(t, out.Bytes())); err != nil {
		t.Errorf("%s: %v", out.Bytes(), err)
	}
}

// shelf is an engine that has things with owners, and gives them away.
type shelf struct {
	containers, images map[string]string // owners by id
	busy               string            // somebody else is removing it, until it is asked for once
	removed            []string
}

func (s *shelf) serve(t *testing.T) (host string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	type thing struct {
		ID     string `json:"Id"`
		Labels map[string]string
	}
	list := func(owners map[string]string, ids ...string) (list []thing) {
		for _, id := range ids {
			if who, there := owners[id]; there {
				list = append(list, thing{id, map[string]string{"coldcurve.owner": who}})
			}
		}
		return list
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		var document any
		switch path := r.URL.Path; {
		case r.Method == http.MethodDelete && filepath.Base(path) == s.busy:
			s.busy = ""
			w.WriteHeader(http.StatusConflict)
			document = map[string]string{"message": "removal of the container is already in progress"}
		case r.Method == http.MethodDelete:
			s.removed = append(s.removed, filepath.Base(path))
			document = []string{}
		case strings.HasSuffix(path, "/info"):
			document = map[string]any{"OSType": "linux", "KernelVersion": strings.TrimSpace(string(kernel))}
		case strings.HasSuffix(path, "/containers/json"):
			document = list(s.containers, "alive", "dead", "hidden")
		case strings.HasSuffix(path, "/images/json"):
			document = list(s.images, "sha256:dead")
		}
		_ = json.NewEncoder(w).Encode(document)
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + socket
}
