// The stage for arm64. See the package doc; checked against code_arm64.go.
	.globl _start
_start:
read:
	movz	x19, #0x50, lsl #16	// read(3, script, size)
	movk	x19, #0x40
	mov	x0, #3
	mov	x1, x19
	movz	x2, #0x1, lsl #16
	movk	x2, #0xffc0
	mov	x8, #63
	svc	#0
	cmp	x0, #0
	b.le	gone
call:
	ldr	x8, [x19]
	tbnz	x8, #63, done		// a negative number ends the script
	ldp	x0, x1, [x19, #8]
	ldp	x2, x3, [x19, #24]
	ldp	x4, x5, [x19, #40]
	svc	#0
	tbnz	x0, #63, report
	cbnz	x0, next
	ldr	x9, [x19, #56]		// skip where it gave 0
	add	x19, x19, x9
next:
	add	x19, x19, #64
	b	call
done:
	mov	x0, #0
report:					// write(3, {result, call}, 16)
	movz	x1, #0x50, lsl #16
	stp	x0, x19, [x1]
	mov	x0, #3
	mov	x2, #16
	mov	x8, #64
	svc	#0
	b	read
gone:					// exit_group(0)
	mov	x0, #0
	mov	x8, #94
	svc	#0
