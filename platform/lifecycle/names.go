package lifecycle

import "fmt"

// String gives the state as logs and transcripts spell it.
func (s State) String() string {
	return name(s, "provisioning", "booting", "init", "idle", "paused", "busy", "reaping", "gone")
}

// String gives the event's kind as logs and transcripts spell it.
func (k EventKind) String() string {
	return name(k, "tick", "arrive", "provisioned", "booted", "ready", "failed", "finish", "lost", "cancel", "cleared", "evict", "retire")
}

// String gives the action's kind as logs and transcripts spell it.
func (k ActionKind) String() string {
	return name(k, "start", "serve", "enqueue", "throttle", "fail", "drop", "reap", "pause", "ping")
}

// String gives the way as logs and transcripts spell it.
func (h How) String() string {
	return name(h, "by reuse", "by start", "by queue", "by resume", "by provision")
}

// String gives the reason as logs and transcripts spell it.
func (w Why) String() string {
	return name(w, "", "concurrency full", "start rate full", "queue timeout", "keep-alive over", "lost", "evicted", "shrunk", "memory short", "memory full")
}

// String gives the event's kind as logs and transcripts spell it.
func (k StockEventKind) String() string {
	return name(k, "tick", "take", "booted", "failed", "lost", "cleared", "resize")
}

// String gives the action's kind as logs and transcripts spell it.
func (k StockActionKind) String() string { return name(k, "boot", "assign", "miss", "drop") }

func name[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("%T(%d)", v, v)
}
