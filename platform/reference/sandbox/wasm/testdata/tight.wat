;; tight has the tightest loop that computes something.
(module
  (memory (export "memory") 1)
  (func (export "loop") (param $n i32) (result i32)
    (local $x i32)
    (loop $next
      (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 31)) (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n)))
    (local.get $x)))
