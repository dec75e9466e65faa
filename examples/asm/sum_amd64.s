#include "go_asm.h"
#include "textflag.h"
#include "registers.h"

// func Sum(numbers []int64) int64
TEXT ·Sum(SB), NOSPLIT, $0-32
	MOVQ numbers_base+0(FP), POINTER
	MOVQ numbers_len+8(FP), COUNT
	XORQ TOTAL, TOTAL
loop:
	TESTQ COUNT, COUNT
	JZ    done
	ADDQ  (POINTER), TOTAL
	ADDQ  $8, POINTER
	DECQ  COUNT
	JMP   loop
done:
	MOVQ TOTAL, ret+24(FP)
	RET

// func AddPair(p *Pair) int64
TEXT ·AddPair(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), POINTER
	MOVQ Pair_First(POINTER), TOTAL
	ADDQ Pair_Second(POINTER), TOTAL
	MOVQ TOTAL, ret+8(FP)
	RET
