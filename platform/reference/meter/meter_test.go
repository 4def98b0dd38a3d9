package meter

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coldcurve/coldcurve/analysis/usage"
	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, folder string) *Meter {
	t.Helper()
	m, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// charge is a random request's use.
func charge(r *rand.Rand) (usage.Key, usage.Usage) {
	k := usage.Key{
		Function: string(rune('a' + r.IntN(3))), Version: fmt.Sprint(r.IntN(2)),
		Consumer: []string{"", "web", "app \"x\"\n"}[r.IntN(3)], Stage: []string{"", "prod"}[r.IntN(2)],
	}
	billed := time.Duration(r.IntN(1e4)) * time.Millisecond
	return k, usage.Usage{Requests: 1, Cold: uint64(r.IntN(2)), Billed: billed, MemoryTime: 1769 * billed.Milliseconds()}
}

// add is the plain sum that a Meter is held to.
func add(sums map[usage.Key]usage.Usage, k usage.Key, u usage.Usage) {
	sum := sums[k]
	sum.Add(u)
	sums[k] = sum
}

// check holds a Meter to the sums, and its total to their sum.
func check(t *testing.T, m *Meter, want map[usage.Key]usage.Usage) {
	t.Helper()
	got := make(map[usage.Key]usage.Usage)
	account := m.Usage()
	entries, total := account.Entries, account.Total
	var sum usage.Usage
	for _, e := range entries {
		got[e.Key] = e.Usage
		sum.Add(e.Usage)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sums (-want +got):\n%s", diff)
	}
	if total != sum {
		t.Errorf("total %+v, the parts add up to %+v", total, sum)
	}
}

func TestSumsSurviveRestarts(t *testing.T) {
	folder := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	want := make(map[usage.Key]usage.Usage)
	for restart := range 5 {
		m := open(t, folder)
		check(t, m, want)
		for range 200 {
			k, u := charge(r)
			m.Charge(k, u)
			add(want, k, u)
		}
		check(t, m, want)
		if restart%2 == 0 { // else it is as if it had been killed
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	check(t, open(t, folder), want)
	if files, _ := filepath.Glob(filepath.Join(folder, "*")); len(files) != 2 {
		t.Errorf("files: %q, want a snapshot and a journal", files)
	}
}

// TestEveryCutOfTheJournal: wherever a killed process's last line ends, what
// was charged before it is there, once.
func TestEveryCutOfTheJournal(t *testing.T) {
	folder := t.TempDir()
	m := open(t, folder)
	r := rand.New(rand.NewPCG(3, 4))
	var ends []int
	var wants []map[usage.Key]usage.Usage
	want := make(map[usage.Key]usage.Usage)
	for range 3 {
		k, u := charge(r)
		m.Charge(k, u)
		add(want, k, u)
		now := make(map[usage.Key]usage.Usage)
		for k, u := range want {
			now[k] = u
		}
		ends, wants = append(ends, int(m.size)), append(wants, now)
	}
	journal, err := os.ReadFile(m.journalPath(m.number))
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := os.ReadFile(m.snapshotPath())
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(journal) + 1 {
		folder := t.TempDir()
		put(t, filepath.Join(folder, "usage.json"), snapshot)
		put(t, filepath.Join(folder, filepath.Base(m.journalPath(m.number))), journal[:cut])
		want := make(map[usage.Key]usage.Usage)
		for i, end := range ends {
			if cut >= end {
				want = wants[i]
			}
		}
		check(t, open(t, folder), want)
	}
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRotationIsOneInstant: a process that ends on either side of the
// snapshot's rename leaves every charge counted once.
func TestRotationIsOneInstant(t *testing.T) {
	folder := t.TempDir()
	m := open(t, folder)
	want := make(map[usage.Key]usage.Usage)
	k, u := charge(rand.New(rand.NewPCG(5, 6)))
	m.Charge(k, u)
	add(want, k, u)

	before := filepath.Join(t.TempDir(), "before")
	copyFolder(t, folder, before)
	put(t, filepath.Join(before, "usage-2.jsonl"), nil) // the next journal is there, the snapshot is not
	put(t, filepath.Join(before, ".usage.json.1"), []byte("{"))
	check(t, open(t, before), want)

	old, err := os.ReadFile(m.journalPath(m.number))
	if err != nil {
		t.Fatal(err)
	}
	number := m.number
	if err := m.rotate(); err != nil {
		t.Fatal(err)
	}
	put(t, m.journalPath(number), old) // the snapshot is there, the old journal not yet removed
	check(t, open(t, folder), want)
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsToldWithItsPlace(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"a journal's line": {"usage-4.jsonl", "{\"key\":{}}\nnonsense\n{}\n", "usage-4.jsonl:2"},
		"the snapshot":     {"usage.json", "{", "usage.json"},
		"another schema":   {"usage.json", `{"schema":"coldcurve.usage/v9"}`, "v9"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, filepath.Join(folder, "usage.json"), []byte(`{"schema":"coldcurve.usage/v1","journal":4}`))
			put(t, filepath.Join(folder, test.file), []byte(test.text))
			if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestJournalThatCannotBeWritten: charges go on in memory and are kept by the
// next Sync that can.
func TestJournalThatCannotBeWritten(t *testing.T) {
	folder := t.TempDir()
	m := open(t, folder)
	r := rand.New(rand.NewPCG(7, 8))
	want := make(map[usage.Key]usage.Usage)
	charge := func() {
		k, u := charge(r)
		m.Charge(k, u)
		add(want, k, u)
	}
	charge()
	_ = m.journal.Close() // as good as a full disk
	charge()
	if m.Err() == nil {
		t.Error("nothing tells that charges are not kept")
	}
	charge()
	if err := m.Sync(); err != nil || m.Err() != nil {
		t.Errorf("sync: %v, then %v", err, m.Err())
	}
	charge()
	check(t, open(t, folder), want)
}

func TestConcurrentCharges(t *testing.T) {
	folder := t.TempDir()
	m := open(t, folder)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 9))
			for range 500 {
				m.Charge(charge(r))
				if r.IntN(100) == 0 {
					if err := m.Sync(); err != nil {
						t.Error(err)
					}
					m.Usage()
				}
			}
		})
	}
	wg.Wait()
	if total := m.Usage().Total; total.Requests != 4000 {
		t.Errorf("%d requests charged, want 4000", total.Requests)
	}
	before := m.Usage().Total
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if after := open(t, folder).Usage().Total; after != before {
		t.Errorf("after a restart %+v, before %+v", after, before)
	}
}

// TestMain doubles as the process of TestKilledProcessLosesNothing.
func TestMain(m *testing.M) {
	if folder := os.Getenv("COLDCURVE_TEST_METER"); folder != "" {
		meter, err := Open(folder)
		if err != nil {
			panic(err)
		}
		for i := 0; ; i++ {
			meter.Charge(usage.Key{Function: "f"}, usage.Usage{Requests: 1})
			fmt.Println(i + 1) // charged so many
		}
	}
	os.Exit(m.Run())
}

func TestKilledProcessLosesNothing(t *testing.T) {
	folder := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COLDCURVE_TEST_METER="+folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told uint64
	for told < 2000 {
		if _, err := fmt.Fscanln(out, &told); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := fmt.Fscanln(out, &told); err != nil {
			break
		}
	}
	_ = cmd.Wait()
	if total := open(t, folder).Usage().Total; total.Requests != told && total.Requests != told+1 {
		t.Errorf("%d requests are kept, the process had charged %d or one more", total.Requests, told)
	}
}

func BenchmarkCharge(b *testing.B) {
	for _, kept := range []bool{false, true} {
		b.Run(fmt.Sprintf("kept=%v", kept), func(b *testing.B) {
			folder := ""
			if kept {
				folder = b.TempDir()
			}
			m, err := Open(folder)
			if err != nil {
				b.Fatal(err)
			}
			k, u := charge(rand.New(rand.NewPCG(1, 1)))
			b.ReportAllocs()
			for b.Loop() {
				m.Charge(k, u)
			}
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
