;; Counts records and fields in CSV text, 64 bytes at a time: see skip-common.ts, which also names the numbers below.
;;
;; A block is read in one of two ways. The fast way takes blocks in which the quotes obey RFC 4180, all records have the
;; expected number of fields, and no line break stands within quotes. Each byte is a bit in 64-bit masks, lowest first:
;; where quotes, delimiters, LFs and CRs are. Whether a byte is within quotes is the parity of the quotes up to it. Of a
;; block that has passed, the next one has to know only what its last byte was.
;; Any other block is read two bytes at a time, by a table made of that of grammar.ts, and without a branch: an entry
;; carries its counts in lanes of 8 bits, and 64 bytes cannot make a lane overflow. What the caller wants to look at itself
;; (the first of each kind) makes the function stop in front of the block.
;;
;; Two things are written out again and again, since a call that V8 does not inline costs a quarter of the fast way:
;;   "a without b"            (i64.and a (i64.xor b (i64.const -1)))
;;   "a, moved one byte on"   (i64.or (i64.shl a (i64.const 1)) w), with w the bit of the block before
(module
  (memory (export "memory") 10)

  ;; The mask of the bytes of four vectors that are $byte.
  (func $find (param $v0 v128) (param $v1 v128) (param $v2 v128) (param $v3 v128) (param $byte v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v0) (local.get $byte))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v1) (local.get $byte)))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v2) (local.get $byte)))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v3) (local.get $byte)))) (i64.const 48)))))

  ;; Whether one of the bytes of four vectors is $byte.
  (func $has (param $v0 v128) (param $v1 v128) (param $v2 v128) (param $v3 v128) (param $byte v128) (result i32)
    (v128.any_true (v128.or
      (v128.or (i8x16.eq (local.get $v0) (local.get $byte)) (i8x16.eq (local.get $v1) (local.get $byte)))
      (v128.or (i8x16.eq (local.get $v2) (local.get $byte)) (i8x16.eq (local.get $v3) (local.get $byte))))))

  ;; Each bit: the parity of the bits up to it.
  (func $parity (param $bits i64) (result i64)
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 1))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 2))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 4))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 8))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 16))))
    (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 32))))

  ;; Whether $state is the one whose number is in memory at $at, as a bit.
  (func $is (param $state i32) (param $at i32) (result i64)
    (i64.extend_i32_u (i32.eq (local.get $state) (i32.load (local.get $at)))))

  ;; A lane of counts.
  (func $lane (param $counts i64) (param $bit i64) (result i32)
    (i32.and (i32.wrap_i64 (i64.shr_u (local.get $counts) (local.get $bit))) (i32.const 255)))

  ;; Adds to the number at $at.
  (func $add (param $at i32) (param $count i32)
    (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $count))))

  ;; Stores the line where something began, if it began in this block.
  (func $begin (param $to i32) (param $lines i32) (param $since i32)
    (if (i32.lt_u (local.get $since) (i32.const 128))
      (then (i32.store (local.get $to) (i32.sub (local.get $lines) (local.get $since))))))

  ;; The bytes that are 0xc3 with 0x80 to 0x91 behind it, which as signed numbers are the lowest, or 0xa2.
  (func $odd_letters (param $first v128) (param $second v128) (result v128)
    (v128.and (i8x16.eq (local.get $first) (i8x16.splat (i32.const 0xc3)))
      (v128.or (i8x16.le_s (local.get $second) (i8x16.splat (i32.const 0x91)))
        (i8x16.eq (local.get $second) (i8x16.splat (i32.const 0xa2))))))

  ;; Those of the 16 bytes at $at that may begin a suspect, by them and the byte behind each: see suspects.ts.
  (func $suspects (param $at i32) (result v128)
    (local $first v128) (local $second v128)
    (local.set $first (v128.load offset=0 (local.get $at)))
    (local.set $second (v128.load offset=1 (local.get $at)))
    (v128.or
      (v128.or
        (i8x16.eq (local.get $first) (i8x16.splat (i32.const 0)))
        ;; A backslash and a quote.
        (v128.and (i8x16.eq (local.get $first) (i8x16.splat (i32.const 0x5c)))
          (i8x16.eq (local.get $second) (i8x16.splat (i32.const 0x22)))))
      (v128.or
        ;; 0xef with 0xbb or 0xbf
        (v128.and (i8x16.eq (local.get $first) (i8x16.splat (i32.const 0xef)))
          (i8x16.eq (v128.or (local.get $second) (i8x16.splat (i32.const 0x04))) (i8x16.splat (i32.const 0xbf))))
        (call $odd_letters (local.get $first) (local.get $second)))))

  ;; Of the 16 bytes at $at, those that begin the three bytes.
  (func $three (param $at i32) (param $first i32) (param $second i32) (param $third i32) (result v128)
    (v128.and
      (v128.and
        (i8x16.eq (v128.load offset=0 (local.get $at)) (i8x16.splat (local.get $first)))
        (i8x16.eq (v128.load offset=1 (local.get $at)) (i8x16.splat (local.get $second))))
      (i8x16.eq (v128.load offset=2 (local.get $at)) (i8x16.splat (local.get $third)))))

  ;; The same of 64 bytes, as a mask.
  (func $threes (param $at i32) (param $first i32) (param $second i32) (param $third i32) (result i64)
    (call $find
      (call $three (local.get $at) (local.get $first) (local.get $second) (local.get $third))
      (call $three (i32.add (local.get $at) (i32.const 16)) (local.get $first) (local.get $second) (local.get $third))
      (call $three (i32.add (local.get $at) (i32.const 32)) (local.get $first) (local.get $second) (local.get $third))
      (call $three (i32.add (local.get $at) (i32.const 48)) (local.get $first) (local.get $second) (local.get $third))
      (i8x16.splat (i32.const 0xff))))

  ;; Adds those in the mask to the count at $to. Behind it is where the first of all is.
  (func $note (param $to i32) (param $at i32) (param $mask i64)
    (if (i64.ne (local.get $mask) (i64.const 0)) (then
      (if (i32.eqz (i32.load (local.get $to))) (then
        (i32.store offset=4 (local.get $to) (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $mask)))))))
      (call $add (local.get $to) (i32.wrap_i64 (i64.popcnt (local.get $mask)))))))

  ;; Counts the suspects in the blocks from $at to $end (whole ones). In memory, a count and a place each: 104 NULs,
  ;; 112 backslashes, 120 replacements, 128 marks, 136 mojibake.
  (func (export "count") (param $at i32) (param $end i32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128) (local $rare v128)
    (local $wide i32) (local $found i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $v0 (v128.load offset=0 (local.get $at)))
        (local.set $v1 (v128.load offset=16 (local.get $at)))
        (local.set $v2 (v128.load offset=32 (local.get $at)))
        (local.set $v3 (v128.load offset=48 (local.get $at)))
        (block $none
          (local.set $rare (v128.or
            (i8x16.eq (i8x16.splat (i32.const 0)) (i8x16.min_u
              (i8x16.min_u (local.get $v0) (local.get $v1)) (i8x16.min_u (local.get $v2) (local.get $v3))))
            (v128.or
              (v128.or
                (i8x16.eq (local.get $v0) (i8x16.splat (i32.const 0x5c)))
                (i8x16.eq (local.get $v1) (i8x16.splat (i32.const 0x5c))))
              (v128.or
                (i8x16.eq (local.get $v2) (i8x16.splat (i32.const 0x5c)))
                (i8x16.eq (local.get $v3) (i8x16.splat (i32.const 0x5c)))))))
          ;; Most blocks hold none of these: a NUL, a backslash, a byte that is not ASCII. In a text that is not ASCII such a
          ;; byte is in some blocks and not in others. The processor guesses that branch wrong, so 64 blocks skip it.
          (if (local.get $wide)
            (then (local.set $wide (i32.sub (local.get $wide) (i32.const 1))))
            (else
              (br_if $none (i32.eqz (v128.any_true (v128.or (local.get $rare)
                (i8x16.gt_s (i8x16.splat (i32.const 0)) (v128.or
                  (v128.or (local.get $v0) (local.get $v1)) (v128.or (local.get $v2) (local.get $v3))))))))
              (local.set $wide (i32.const 64))))
          ;; If the block before had a suspect, this one often has one, too: the test would only cost.
          (if (i32.eqz (local.get $found)) (then
            (br_if $none (i32.eqz (v128.any_true (v128.or (local.get $rare) (v128.or
              (v128.or
                (v128.or
                  (i8x16.eq (local.get $v0) (i8x16.splat (i32.const 0xef)))
                  (i8x16.eq (local.get $v1) (i8x16.splat (i32.const 0xef))))
                (v128.or
                  (i8x16.eq (local.get $v2) (i8x16.splat (i32.const 0xef)))
                  (i8x16.eq (local.get $v3) (i8x16.splat (i32.const 0xef)))))
              (v128.or
                (v128.or
                  (call $odd_letters (local.get $v0) (v128.load offset=1 (local.get $at)))
                  (call $odd_letters (local.get $v1) (v128.load offset=17 (local.get $at))))
                (v128.or
                  (call $odd_letters (local.get $v2) (v128.load offset=33 (local.get $at)))
                  (call $odd_letters (local.get $v3) (v128.load offset=49 (local.get $at))))))))))))
          (local.set $found (i32.const 0))
          (br_if $none (i32.eqz (v128.any_true (v128.or
            (v128.or (call $suspects (local.get $at)) (call $suspects (i32.add (local.get $at) (i32.const 16))))
            (v128.or
              (call $suspects (i32.add (local.get $at) (i32.const 32)))
              (call $suspects (i32.add (local.get $at) (i32.const 48))))))))
          (local.set $found (i32.const 1))
          (call $note (i32.const 104) (local.get $at) (call $find
            (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0))))
          (call $note (i32.const 112) (local.get $at) (i64.and
            (call $find (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0x5c)))
            (call $find
              (v128.load offset=1 (local.get $at)) (v128.load offset=17 (local.get $at))
              (v128.load offset=33 (local.get $at)) (v128.load offset=49 (local.get $at))
              (i8x16.splat (i32.const 0x22)))))
          (if (call $has
                (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0xef))) (then
            (call $note (i32.const 120) (local.get $at)
              (call $threes (local.get $at) (i32.const 0xef) (i32.const 0xbf) (i32.const 0xbd)))
            (call $note (i32.const 128) (local.get $at)
              (call $threes (local.get $at) (i32.const 0xef) (i32.const 0xbb) (i32.const 0xbf)))))
          (if (call $has
                (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0xc3))) (then
            (call $note (i32.const 136) (local.get $at) (i64.or
              (i64.or
                (i64.or
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0x82) (i32.const 0xc2))
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0x90) (i32.const 0xc2)))
                (i64.or
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0x91) (i32.const 0xc2))
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0x83) (i32.const 0xc2))))
              (i64.or
                (i64.or
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0x83) (i32.const 0xc5))
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0x83) (i32.const 0xc6)))
                (i64.and
                  (call $threes (local.get $at) (i32.const 0xc3) (i32.const 0xa2) (i32.const 0xe2))
                  (call $threes (i32.add (local.get $at) (i32.const 2))
                    (i32.const 0xe2) (i32.const 0x82) (i32.const 0xac)))))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next))))

  (func $fill (param $at i32) (param $end i32)
    (loop $next
      (i32.store8 (local.get $at) (i32.const 0xff))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))

  ;; Makes each byte of the delimiter, which stands at 14336, 0xff in the blocks from $at to $end (whole ones), and what was
  ;; 0xff before 0xfe. Returns how far it came: the last delimiter may end behind them.
  (func (export "narrow") (param $at i32) (param $end i32) (param $length i32) (result i32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128) (local $byte v128)
    (local $done i32) (local $i i32) (local $from i32) (local $mask i64)
    (local.set $done (local.get $at))
    (block $all
      (loop $next
        (br_if $all (i32.ge_u (local.get $at) (local.get $end)))
        ;; Where one begins.
        (local.set $v0 (i8x16.splat (i32.const 0xff)))
        (local.set $v1 (local.get $v0))
        (local.set $v2 (local.get $v0))
        (local.set $v3 (local.get $v0))
        (local.set $i (i32.const 0))
        (loop $compare
          (local.set $byte (v128.load8_splat offset=14336 (local.get $i)))
          (local.set $from (i32.add (local.get $at) (local.get $i)))
          (local.set $v0 (v128.and (local.get $v0) (i8x16.eq (local.get $byte) (v128.load offset=0 (local.get $from)))))
          (local.set $v1 (v128.and (local.get $v1) (i8x16.eq (local.get $byte) (v128.load offset=16 (local.get $from)))))
          (local.set $v2 (v128.and (local.get $v2) (i8x16.eq (local.get $byte) (v128.load offset=32 (local.get $from)))))
          (local.set $v3 (v128.and (local.get $v3) (i8x16.eq (local.get $byte) (v128.load offset=48 (local.get $from)))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $compare (i32.lt_u (local.get $i) (local.get $length))))
        (local.set $mask (call $find
          (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0xff))))

        (local.set $byte (i8x16.splat (i32.const 0xfe)))
        (v128.store offset=0 (local.get $at) (i8x16.min_u (local.get $byte) (v128.load offset=0 (local.get $at))))
        (v128.store offset=16 (local.get $at) (i8x16.min_u (local.get $byte) (v128.load offset=16 (local.get $at))))
        (v128.store offset=32 (local.get $at) (i8x16.min_u (local.get $byte) (v128.load offset=32 (local.get $at))))
        (v128.store offset=48 (local.get $at) (i8x16.min_u (local.get $byte) (v128.load offset=48 (local.get $at))))
        ;; The last one of the block before may have ended here.
        (if (i32.lt_u (local.get $at) (local.get $done)) (then (call $fill (local.get $at) (local.get $done))))
        (block $none
          (loop $one
            (br_if $none (i64.eqz (local.get $mask)))
            (local.set $from (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $mask)))))
            (local.set $mask (i64.and (local.get $mask) (i64.sub (local.get $mask) (i64.const 1))))
            ;; Of several that overlap it is the first.
            (br_if $one (i32.lt_u (local.get $from) (local.get $done)))
            (local.set $done (i32.add (local.get $from) (local.get $length)))
            (call $fill (local.get $from) (local.get $done))
            (br $one)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))
    (select (local.get $done) (local.get $at) (i32.gt_u (local.get $done) (local.get $at))))

  ;; The kinds of 16 bytes by their numbers in grammar.ts ($escape: that of the backslash), as 8 pairs: twice 8 times the
  ;; kind of the second byte and that of the first.
  (func $pairs (param $bytes v128) (param $delimiters v128) (param $escape v128) (result v128)
    (local $kinds v128)
    (local.set $kinds (i8x16.max_u
      (i8x16.max_u
        (v128.and (i8x16.eq (local.get $bytes) (local.get $delimiters)) (i8x16.splat (i32.const 1)))
        (v128.and (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x22))) (i8x16.splat (i32.const 2))))
      (i8x16.max_u
        (i8x16.max_u
          (v128.and (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x0a))) (i8x16.splat (i32.const 3)))
          (v128.and (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x0d))) (i8x16.splat (i32.const 4))))
        (v128.and (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 0x5c))) (local.get $escape)))))
    (i16x8.shl
      (v128.and
        (v128.or (local.get $kinds) (i16x8.shr_u (local.get $kinds) (i32.const 5)))
        (i16x8.splat (i32.const 0x3f)))
      (i32.const 1)))

  ;; Takes the blocks from $at to $end (whole ones), and returns where it stopped.
  ;; In memory, as 32-bit numbers, before and after:
  ;;   0 state, 4 records that ended, 8 delimiters since, 12 line breaks, 16 those before the record, 20 those before the
  ;;   quote that was opened last, 24 ragged records, 28 stray quotes, 32 breaks in quotes, 36 empty rows, 40 actions seen.
  ;; Only before: 44 delimiters of a record, 48 actions that are wanted (1 << 10: ragged records), 52 the delimiter,
  ;;   56 the kind of the backslash: of one that escapes the fast way knows nothing; the numbers of the states: 64 START,
  ;;   68 VOID, 72 FIELD, 76 PLAIN, 80 QUOTED, 84 CLOSED, 88 VOID_QUOTED, 92 VOID_CLOSED, 96 AFTER_CR. At 192 room for a
  ;;   block of pairs, at 512 the table of next states, at 2048 that of entries, at 8192 that of the lanes that go on.
  ;; An entry, by its bits: 0 records, 8 line breaks, 16 stray quotes, 24 breaks in quotes, 32 empty rows, 40 line breaks
  ;;   since the record began, 48 those since the quote was opened; 56 to 58 LF, CRLF and CR were seen, 59 and 60 how many
  ;;   delimiters stand before the end of the record, 61 whether one stands behind it.
  (func (export "scan") (param $at i32) (param $end i32) (result i32)
    (local $delimiters v128) (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
    (local $expected i32) (local $state i32) (local $from i32) (local $patience i32) (local $left i32)
    (local $rows i32) (local $splits i32) (local $lines i32) (local $lines_from i32)
    ;; The fast way, the block: what is where.
    (local $quotes i64) (local $opening i64) (local $closing i64) (local $split i64) (local $lf i64) (local $cr i64)
    (local $inside i64) (local $behind_cr i64) (local $breaks_at i64) (local $ends i64) (local $low i64)
    (local $doubled i64) (local $starts i64) (local $hollow i64) (local $empty i64) (local $sum i64) (local $void_now i64)
    (local $ended i32) (local $since i32)
    (local $seen_lf i64) (local $seen_crlf i64) (local $seen_cr i64) (local $opened i64)
    ;; The last byte of the block before, each as a bit, but $was_inside as 64 of them.
    (local $was_inside i64) (local $was_closing i64) (local $was_split i64) (local $was_lf i64) (local $was_cr i64)
    ;; Whether the record holds only delimiters and quotes so far.
    (local $was_void i64)
    ;; By the table.
    (local $escape v128)
    (local $row i32) (local $step i32) (local $pair i32) (local $entry i64) (local $counts i64) (local $flags i64)
    (local $is_record i32) (local $odd i32) (local $delims i32)

    (local.set $delimiters (i8x16.splat (i32.load (i32.const 52))))
    (local.set $escape (i8x16.splat (i32.load (i32.const 56))))
    (local.set $expected (i32.load (i32.const 44)))
    (local.set $state (i32.load (i32.const 0)))
    (local.set $rows (i32.load (i32.const 4)))
    (local.set $splits (i32.load (i32.const 8)))
    (local.set $lines (i32.load (i32.const 12)))
    (local.set $patience (i32.const 1))

    (block $done
      (loop $go_on
        (local.set $was_lf (call $is (local.get $state) (i32.const 64)))
        (local.set $was_void (i64.or (call $is (local.get $state) (i32.const 68))
          (i64.or (call $is (local.get $state) (i32.const 88)) (call $is (local.get $state) (i32.const 92)))))
        (local.set $was_split
          (i64.or (call $is (local.get $state) (i32.const 68)) (call $is (local.get $state) (i32.const 72))))
        (local.set $was_inside (i64.sub (i64.const 0)
          (i64.or (call $is (local.get $state) (i32.const 80)) (call $is (local.get $state) (i32.const 88)))))
        (local.set $was_closing
          (i64.or (call $is (local.get $state) (i32.const 84)) (call $is (local.get $state) (i32.const 92))))
        (local.set $was_cr (call $is (local.get $state) (i32.const 96)))

        (block $slow
          ;; A state that the fast way does not know.
          (br_if $slow (i32.load (i32.const 56)))
          (br_if $slow (i64.eqz (i64.or
            (i64.or
              (i64.or (local.get $was_lf) (local.get $was_void))
              (i64.or (local.get $was_split) (local.get $was_inside)))
            (i64.or (i64.or (local.get $was_closing) (local.get $was_cr)) (call $is (local.get $state) (i32.const 76))))))
          (local.set $from (local.get $at))
          (local.set $lines_from (local.get $lines))
          (local.set $opened (i64.const 0))

          (block $stop
            (loop $next
              (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))

              (local.set $v0 (v128.load offset=0 (local.get $at)))
              (local.set $v1 (v128.load offset=16 (local.get $at)))
              (local.set $v2 (v128.load offset=32 (local.get $at)))
              (local.set $v3 (v128.load offset=48 (local.get $at)))
              (local.set $lf (call $find (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0x0a))))
              (local.set $split (call $find (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (local.get $delimiters)))
              (local.set $cr (i64.const 0))
              (if (call $has (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0x0d)))
                (then (local.set $cr (call $find
                  (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0x0d))))))
              (local.set $starts (i64.or
                (i64.shl (i64.or (local.get $lf) (local.get $cr)) (i64.const 1))
                (i64.or (local.get $was_lf) (local.get $was_cr))))
              (local.set $breaks_at (local.get $lf))

              (local.set $inside (i64.const 0))
              (local.set $closing (i64.const 0))
              (local.set $hollow (local.get $split))
              (if (i32.or (i64.ne (i64.const 0) (i64.or (local.get $was_inside) (local.get $was_closing)))
                    (call $has
                      (local.get $v0)
                      (local.get $v1)
                      (local.get $v2)
                      (local.get $v3)
                      (i8x16.splat (i32.const 0x22))))
                (then
                  (local.set $quotes (call $find
                    (local.get $v0) (local.get $v1) (local.get $v2) (local.get $v3) (i8x16.splat (i32.const 0x22))))
                  (local.set $inside (i64.xor (call $parity (local.get $quotes)) (local.get $was_inside)))
                  (local.set $opening (i64.and (local.get $quotes) (local.get $inside)))
                  (local.set $closing (i64.and (local.get $quotes) (i64.xor (local.get $inside) (i64.const -1))))
                  ;; A line break within quotes.
                  (br_if $stop (i64.ne (i64.const 0) (i64.and (local.get $inside) (i64.or (local.get $lf) (local.get $cr)))))
                  (local.set $split (i64.and (local.get $split) (i64.xor (local.get $inside) (i64.const -1))))
                  ;; A quote that opens stands at the start of a field, or doubles one that closed.
                  (local.set $doubled
                    (i64.and
                      (local.get $opening)
                      (i64.or (i64.shl (local.get $closing) (i64.const 1)) (local.get $was_closing))))
                  (local.set $opening (i64.and (local.get $opening) (i64.xor (local.get $doubled) (i64.const -1))))
                  (br_if $stop
                    (i64.ne
                      (i64.const 0)
                      (i64.and
                        (local.get $opening)
                        (i64.xor
                          (i64.or
                            (local.get $starts)
                            (i64.or (i64.shl (local.get $split) (i64.const 1)) (local.get $was_split)))
                          (i64.const -1)))))
                  ;; One that closes stands at the end of a field, or is doubled.
                  (br_if $stop
                    (i64.ne
                      (i64.const 0)
                      (i64.and
                        (i64.or (i64.shl (local.get $closing) (i64.const 1)) (local.get $was_closing))
                        (i64.xor
                          (i64.or
                            (i64.or (local.get $split) (local.get $lf))
                            (i64.or (local.get $cr) (local.get $doubled)))
                          (i64.const -1)))))
                  (local.set $opened (i64.or (local.get $opened) (local.get $opening)))
                  (local.set $hollow
                    (i64.or
                      (local.get $split)
                      (i64.and (local.get $quotes) (i64.xor (local.get $doubled) (i64.const -1)))))))

              (local.set $behind_cr (i64.const 0))
              (if (i64.ne (i64.const 0) (i64.or (local.get $cr) (local.get $was_cr)))
                (then
                  ;; A CR breaks the line by itself, and an LF behind it breaks no other.
                  (local.set $behind_cr (i64.or (i64.shl (local.get $cr) (i64.const 1)) (local.get $was_cr)))
                  (local.set $breaks_at
                    (i64.or (local.get $cr) (i64.and (local.get $lf) (i64.xor (local.get $behind_cr) (i64.const -1)))))))

              ;; A line without a byte is no record.
              (local.set $ends (i64.and (local.get $breaks_at) (i64.xor (local.get $starts) (i64.const -1))))

              ;; Empty rows: adding the start of a record to the run of delimiters and quotes that begins there carries a
              ;; bit to the byte behind the run.
              (local.set $empty (i64.const 0))
              (local.set $sum (i64.and (local.get $hollow) (i64.or (local.get $starts) (local.get $was_void))))
              (local.set $void_now (i64.const 0))
              (if (i64.ne (i64.const 0) (i64.or (local.get $sum) (local.get $was_void)))
                (then
                  (local.set $sum (i64.add (local.get $hollow) (local.get $sum)))
                  (local.set $empty (i64.and (local.get $ends)
                    (i64.and (i64.or (local.get $sum) (local.get $was_void)) (i64.xor (local.get $hollow) (i64.const -1)))))
                  (local.set $void_now (i64.extend_i32_u (i64.lt_u (local.get $sum) (local.get $hollow))))
                  (br_if $stop (i32.and (i64.ne (i64.const 0) (local.get $empty))
                    (i32.ne (i32.const 0) (i32.and (i32.load (i32.const 48)) (i32.const 32)))))))

              ;; A record of another length.
              (local.set $quotes (local.get $split)) ;; from here on: the delimiters that are not counted yet
              (local.set $since (local.get $splits))
              (local.set $ended (i32.wrap_i64 (i64.popcnt (local.get $ends))))
              ;; The first one without a branch, since in long records no guess of the processor is right. Without an end,
              ;; all bytes are below it.
              (local.set $low (i64.sub (i64.and (local.get $ends) (i64.sub (i64.const 0) (local.get $ends))) (i64.const 1)))
              (local.set $since
                (i32.add
                  (local.get $since)
                  (i32.wrap_i64 (i64.popcnt (i64.and (local.get $quotes) (local.get $low))))))
              (br_if $stop
                (i32.and (i32.ne (local.get $ended) (i32.const 0)) (i32.ne (local.get $since) (local.get $expected))))
              (local.set $since (select (i32.const 0) (local.get $since) (local.get $ended)))
              (local.set $quotes (i64.and (local.get $quotes) (i64.xor (local.get $low) (i64.const -1))))
              (local.set $ends (i64.and (local.get $ends) (i64.sub (local.get $ends) (i64.const 1))))
              (block $counted
                (loop $count
                  (br_if $counted (i64.eqz (local.get $ends)))
                  (local.set $low
                    (i64.sub (i64.and (local.get $ends) (i64.sub (i64.const 0) (local.get $ends))) (i64.const 1)))
                  (br_if $stop (i32.ne (local.get $expected) (i32.wrap_i64 (i64.popcnt
                    (i64.and (local.get $quotes) (local.get $low))))))
                  (local.set $quotes (i64.and (local.get $quotes) (i64.xor (local.get $low) (i64.const -1))))
                  (local.set $ends (i64.and (local.get $ends) (i64.sub (local.get $ends) (i64.const 1))))
                  (br $count)))

              (local.set $rows (i32.add (local.get $rows) (local.get $ended)))
              (local.set $splits (i32.add (local.get $since) (i32.wrap_i64 (i64.popcnt (local.get $quotes)))))
              (local.set $lines (i32.add (local.get $lines) (i32.wrap_i64 (i64.popcnt (local.get $breaks_at)))))
              (if (i64.ne (i64.const 0) (local.get $empty))
                (then (call $add (i32.const 36) (i32.wrap_i64 (i64.popcnt (local.get $empty))))))
              (local.set $seen_lf
                (i64.or
                  (local.get $seen_lf)
                  (i64.and (local.get $lf) (i64.xor (local.get $behind_cr) (i64.const -1)))))
              (local.set $seen_crlf (i64.or (local.get $seen_crlf) (i64.and (local.get $behind_cr) (local.get $lf))))
              (local.set $seen_cr (i64.or (local.get $seen_cr)
                (i64.and (local.get $behind_cr) (i64.xor (local.get $lf) (i64.const -1)))))
              (local.set $was_inside (i64.shr_s (local.get $inside) (i64.const 63)))
              (local.set $was_closing (i64.shr_u (local.get $closing) (i64.const 63)))
              (local.set $was_split (i64.shr_u (local.get $split) (i64.const 63)))
              (local.set $was_lf (i64.shr_u (local.get $lf) (i64.const 63)))
              (local.set $was_cr (i64.shr_u (local.get $cr) (i64.const 63)))
              (local.set $was_void (local.get $void_now))
              (local.set $at (i32.add (local.get $at) (i32.const 64)))
              (br $next)))

          (br_if $slow (i32.eq (local.get $at) (local.get $from)))
          (local.set $patience (i32.const 1))
          ;; No line ends behind a quote that is still open.
          (if (i64.ne (i64.const 0) (local.get $opened)) (then (i32.store (i32.const 20) (local.get $lines))))
          (if (i32.ne (local.get $lines) (local.get $lines_from)) (then (i32.store (i32.const 16) (local.get $lines))))
          (local.set $low (local.get $was_void))
          (local.set $state (i32.load
            (select (i32.const 64)
              (select (select (i32.const 68) (i32.const 72) (i32.wrap_i64 (local.get $low)))
                (select (select (i32.const 88) (i32.const 80) (i32.wrap_i64 (local.get $low)))
                  (select (select (i32.const 92) (i32.const 84) (i32.wrap_i64 (local.get $low)))
                    (select (i32.const 96) (i32.const 76) (i32.wrap_i64 (local.get $was_cr)))
                    (i32.wrap_i64 (local.get $was_closing)))
                  (i32.wrap_i64 (local.get $was_inside)))
                (i32.wrap_i64 (local.get $was_split)))
              (i32.wrap_i64 (local.get $was_lf))))))

        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))

        ;; By the table: one block, then two, four … as long as the fast way is of no use.
        (local.set $left (local.get $patience))
        (local.set $patience (i32.shl (local.get $patience) (i32.lt_u (local.get $patience) (i32.const 32))))
        (loop $block
          (v128.store offset=192 (i32.const 0)
            (call $pairs (v128.load offset=0 (local.get $at)) (local.get $delimiters) (local.get $escape)))
          (v128.store offset=208 (i32.const 0)
            (call $pairs (v128.load offset=16 (local.get $at)) (local.get $delimiters) (local.get $escape)))
          (v128.store offset=224 (i32.const 0)
            (call $pairs (v128.load offset=32 (local.get $at)) (local.get $delimiters) (local.get $escape)))
          (v128.store offset=240 (i32.const 0)
            (call $pairs (v128.load offset=48 (local.get $at)) (local.get $delimiters) (local.get $escape)))
          (local.set $row (i32.shl (local.get $state) (i32.const 7)))
          (local.set $delims (local.get $splits))
          (local.set $odd (i32.const 0))
          ;; Lines since the record and the quote began: so many that it shows if none begins here.
          (local.set $counts (i64.const 0x80800000000000))
          (local.set $flags (i64.const 0))
          (local.set $pair (i32.const 0))
          (loop $two
            ;; The next state waits for the one before and for nothing else: it has a table of its own, of 16-bit numbers.
            (local.set $step (i32.add (local.get $row) (i32.load16_u offset=192 (local.get $pair))))
            (local.set $row (i32.load16_u offset=512 (local.get $step)))
            (local.set $step (i32.shl (local.get $step) (i32.const 2)))
            (local.set $entry (i64.load offset=2048 (local.get $step)))
            (local.set $counts (i64.add
              (i64.and (local.get $counts) (i64.load offset=8192 (local.get $step)))
              (local.get $entry)))
            (local.set $flags (i64.or (local.get $flags) (local.get $entry)))
            ;; Of two bytes one ends a record at most. Delimiters may stand before its end, or behind.
            (local.set $is_record (i32.and (i32.wrap_i64 (local.get $entry)) (i32.const 1)))
            (local.set $delims (i32.add (local.get $delims)
              (i32.and (i32.wrap_i64 (i64.shr_u (local.get $entry) (i64.const 59))) (i32.const 3))))
            (local.set $odd (i32.add (local.get $odd)
              (i32.and (local.get $is_record) (i32.ne (local.get $delims) (local.get $expected)))))
            (local.set $delims (i32.add
              (i32.and (local.get $delims) (i32.sub (local.get $is_record) (i32.const 1)))
              (i32.wrap_i64 (i64.shr_u (local.get $entry) (i64.const 61)))))
            (local.set $pair (i32.add (local.get $pair) (i32.const 2)))
            (br_if $two (i32.lt_u (local.get $pair) (i32.const 64))))

          (br_if $done (i32.and (i32.load (i32.const 48)) (i32.or
            (i32.or
              (i32.shl (i32.ne (i32.const 0) (call $lane (local.get $counts) (i64.const 16))) (i32.const 4))
              (i32.shl (i32.ne (i32.const 0) (call $lane (local.get $counts) (i64.const 24))) (i32.const 3)))
            (i32.or
              (i32.shl (i32.ne (i32.const 0) (call $lane (local.get $counts) (i64.const 32))) (i32.const 5))
              (i32.shl (i32.ne (i32.const 0) (local.get $odd)) (i32.const 10))))))

          (local.set $state (i32.shr_u (local.get $row) (i32.const 7)))
          (local.set $splits (local.get $delims))
          (i32.store (i32.const 40) (i32.or (i32.load (i32.const 40))
            (i32.shl (i32.and (call $lane (local.get $flags) (i64.const 56)) (i32.const 7)) (i32.const 7))))
          (local.set $rows (i32.add (local.get $rows) (call $lane (local.get $counts) (i64.const 0))))
          (local.set $lines (i32.add (local.get $lines) (call $lane (local.get $counts) (i64.const 8))))
          (call $begin (i32.const 16) (local.get $lines) (call $lane (local.get $counts) (i64.const 40)))
          (call $begin (i32.const 20) (local.get $lines) (call $lane (local.get $counts) (i64.const 48)))
          (call $add (i32.const 24) (local.get $odd))
          (call $add (i32.const 28) (call $lane (local.get $counts) (i64.const 16)))
          (call $add (i32.const 32) (call $lane (local.get $counts) (i64.const 24)))
          (call $add (i32.const 36) (call $lane (local.get $counts) (i64.const 32)))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $block (i32.and (i32.ne (local.get $left) (i32.const 0)) (i32.lt_u (local.get $at) (local.get $end)))))
        (br_if $go_on (i32.lt_u (local.get $at) (local.get $end)))))

    (i32.store (i32.const 0) (local.get $state))
    (i32.store (i32.const 4) (local.get $rows))
    (i32.store (i32.const 8) (local.get $splits))
    (i32.store (i32.const 12) (local.get $lines))
    (i32.store (i32.const 40) (i32.or
      (i32.or (i32.load (i32.const 40)) (i32.shl (i64.ne (local.get $seen_cr) (i64.const 0)) (i32.const 9)))
      (i32.or
        (i32.shl (i64.ne (local.get $seen_lf) (i64.const 0)) (i32.const 7))
        (i32.shl (i64.ne (local.get $seen_crlf) (i64.const 0)) (i32.const 8)))))
    (local.get $at)))
