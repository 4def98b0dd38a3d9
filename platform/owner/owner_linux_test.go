package owner

import "testing"

func TestOwner(t *testing.T) {
	me, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := Parse(me.String()); !ok || got != me {
		t.Errorf("%s is read as %v", me, got)
	}
	if me.Gone(me) {
		t.Error("this process counts as gone")
	}
	earlier := me
	earlier.started--
	if !me.Gone(earlier) {
		t.Error("an earlier process with this one's pid counts as alive")
	}
	elsewhere := earlier
	elsewhere.namespace++
	if me.Gone(elsewhere) || me.Sees(elsewhere) || !me.Sees(earlier) {
		t.Error("a process of another namespace counts as gone, or as seen")
	}
	for _, name := range []string{"", "1", "1-2", "1-2-3-4", "a-2-3", "1-b-3", "1-2-c", "1--3"} {
		if o, ok := Parse(name); ok {
			t.Errorf("%q is read as %v", name, o)
		}
	}
}
