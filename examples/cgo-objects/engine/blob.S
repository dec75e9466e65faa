.section .rodata
.globl name_start
name_start:
.incbin "../data/name.txt"
.byte 0
.section .note.GNU-stack,"",@progbits
