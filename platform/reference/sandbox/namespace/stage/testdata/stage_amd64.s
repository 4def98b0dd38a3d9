# The stage for x86-64. See the package doc; checked against code_amd64.go.
	.globl _start
_start:
read:
	mov	$0x500040, %ebx		# read(3, script, size)
	xor	%eax, %eax
	mov	$3, %edi
	mov	%ebx, %esi
	mov	$0x1ffc0, %edx
	syscall
	test	%rax, %rax
	jle	gone
call:
	mov	(%rbx), %rax
	test	%rax, %rax
	js	done			# a negative number ends the script
	mov	8(%rbx), %rdi
	mov	16(%rbx), %rsi
	mov	24(%rbx), %rdx
	mov	32(%rbx), %r10
	mov	40(%rbx), %r8
	mov	48(%rbx), %r9
	syscall
	test	%rax, %rax
	js	report
	jnz	next
	add	56(%rbx), %rbx		# skip where it gave 0
next:
	add	$64, %rbx
	jmp	call
done:
	xor	%eax, %eax
report:					# write(3, {result, call}, 16)
	mov	$0x500000, %esi
	mov	%rax, (%rsi)
	mov	%rbx, 8(%rsi)
	mov	$1, %eax
	mov	$3, %edi
	mov	$16, %edx
	syscall
	jmp	read
gone:					# exit_group(0)
	xor	%edi, %edi
	mov	$231, %eax
	syscall
