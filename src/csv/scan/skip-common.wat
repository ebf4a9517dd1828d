;; Reads CSV text 64 bytes at a time, as far as nothing in it is to be noted: see skip-common.ts.
;;
;; Each byte of a block is a bit in 64-bit masks, lowest first: where quotes, delimiters, LFs and CRs are. Whether a byte
;; is within quotes is the parity of the quotes up to it. What the grammar of csv-grammar.ts would mark, and a record of
;; another length, shows as a bit in the wrong place; then the function stops in front of that block. Of a block that
;; has passed, all the next one has to know is what its last byte was.
(module
  (memory (export "memory") 9)

  ;; The mask of the bytes at $at that are $byte.
  (func $find (param $at i32) (param $byte v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=0 (local.get $at)) (local.get $byte))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $byte)))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $byte)))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $byte)))) (i64.const 48)))))

  ;; $bits without those of $others.
  (func $without (param $bits i64) (param $others i64) (result i64)
    (i64.and (local.get $bits) (i64.xor (local.get $others) (i64.const -1))))

  ;; Each bit: the parity of the bits up to it.
  (func $parity (param $bits i64) (result i64)
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 1))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 2))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 4))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 8))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 16))))
    (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 32))))

  ;; Bits one byte on: each stands where the byte behind its own is; $carry is that of the last block.
  (func $behind (param $bits i64) (param $carry i64) (result i64)
    (i64.or (i64.shl (local.get $bits) (i64.const 1)) (local.get $carry)))

  ;; Whether the state at memory 0 is $state, as a bit.
  (func $is_state (param $state i32) (result i64)
    (i64.extend_i32_u (i32.eq (i32.load (i32.const 0)) (local.get $state))))

  ;; Takes the blocks from $at to $end (whole ones), and returns where it stopped. $expected is the number of delimiters
  ;; of a record. In memory, as 32-bit numbers, before and after: 0 the state of the grammar (it must be one of those
  ;; below), 4 records that ended, 8 delimiters since, 12 the grammar's flags for line breaks that were seen.
  (func (export "skip") (param $at i32) (param $end i32) (param $delimiter i32) (param $expected i32) (result i32)
    (local $delimiters v128)
    (local $rows i32) (local $splits i32) (local $ended i32) (local $since i32)
    ;; The block: what is where.
    (local $quotes i64) (local $opening i64) (local $closing i64) (local $split i64) (local $lf i64) (local $cr i64)
    (local $inside i64) (local $behind_cr i64) (local $bare_lf i64) (local $ends i64)
    (local $seen_lf i64) (local $seen_crlf i64)
    ;; The last byte of the block before, each as a bit, but $was_inside as 64 of them.
    (local $was_inside i64) (local $was_closing i64) (local $was_split i64) (local $was_lf i64) (local $was_cr i64)

    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $rows (i32.load (i32.const 4)))
    (local.set $splits (i32.load (i32.const 8)))
    (local.set $was_lf (call $is_state (i32.const 0)))      ;; START
    (local.set $was_split (call $is_state (i32.const 1)))   ;; FIELD
    (local.set $was_inside (i64.sub (i64.const 0) (call $is_state (i32.const 3)))) ;; QUOTED
    (local.set $was_closing (call $is_state (i32.const 4))) ;; CLOSED
    (local.set $was_cr (call $is_state (i32.const 6)))      ;; AFTER_CR; none of them: PLAIN

    (block $stop
      (loop $next
        (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))

        (local.set $quotes (call $find (local.get $at) (i8x16.splat (i32.const 0x22))))
        (local.set $lf (call $find (local.get $at) (i8x16.splat (i32.const 0x0a))))
        (local.set $cr (call $find (local.get $at) (i8x16.splat (i32.const 0x0d))))
        (local.set $split (call $find (local.get $at) (local.get $delimiters)))
        (local.set $inside (i64.xor (call $parity (local.get $quotes)) (local.get $was_inside)))
        (local.set $opening (i64.and (local.get $quotes) (local.get $inside)))
        (local.set $closing (call $without (local.get $quotes) (local.get $inside)))

        ;; A line break within quotes.
        (br_if $stop (i64.ne (i64.const 0) (i64.and (local.get $inside) (i64.or (local.get $lf) (local.get $cr)))))
        (local.set $split (call $without (local.get $split) (local.get $inside)))

        ;; A quote that opens stands at the start of a field, or doubles one that closed.
        (br_if $stop (i64.ne (i64.const 0) (call $without (local.get $opening)
          (call $behind
            (i64.or (i64.or (local.get $split) (local.get $lf)) (local.get $closing))
            (i64.or (i64.or (local.get $was_split) (local.get $was_lf)) (local.get $was_closing))))))
        ;; One that closes stands at the end of a field, or is doubled.
        (br_if $stop (i64.ne (i64.const 0) (call $without
          (call $behind (local.get $closing) (local.get $was_closing))
          (i64.or (i64.or (local.get $split) (local.get $lf)) (i64.or (local.get $cr) (local.get $opening))))))

        ;; A CR without its LF.
        (local.set $behind_cr (call $behind (local.get $cr) (local.get $was_cr)))
        (br_if $stop (i64.ne (i64.const 0) (call $without (local.get $behind_cr) (local.get $lf))))
        ;; A line without a byte.
        (br_if $stop (i64.ne (i64.const 0) (i64.and
          (call $behind (local.get $lf) (local.get $was_lf))
          (i64.or (local.get $lf) (local.get $cr)))))

        ;; A record of another length.
        (local.set $bare_lf (call $without (local.get $lf) (local.get $behind_cr)))
        (local.set $ends (i64.or (local.get $cr) (local.get $bare_lf)))
        (local.set $ended (i32.const 0))
        (local.set $since (local.get $splits))
        (local.set $quotes (local.get $split)) ;; from here on: the delimiters that are not counted yet
        (block $counted
          (loop $count
            (br_if $counted (i64.eqz (local.get $ends)))
            (br_if $stop (i32.ne (local.get $expected) (i32.add (local.get $since) (i32.wrap_i64 (i64.popcnt
              (i64.and (local.get $quotes) (i64.sub (i64.and (local.get $ends) (i64.sub (i64.const 0) (local.get $ends))) (i64.const 1))))))))
            ;; Without those below the lowest end.
            (local.set $quotes (call $without (local.get $quotes) (i64.sub (i64.and (local.get $ends) (i64.sub (i64.const 0) (local.get $ends))) (i64.const 1))))
            (local.set $ends (i64.and (local.get $ends) (i64.sub (local.get $ends) (i64.const 1))))
            (local.set $since (i32.const 0))
            (local.set $ended (i32.add (local.get $ended) (i32.const 1)))
            (br $count)))

        (local.set $rows (i32.add (local.get $rows) (local.get $ended)))
        (local.set $splits (i32.add (local.get $since) (i32.wrap_i64 (i64.popcnt (local.get $quotes)))))
        (local.set $seen_lf (i64.or (local.get $seen_lf) (local.get $bare_lf)))
        (local.set $seen_crlf (i64.or (local.get $seen_crlf) (local.get $behind_cr)))
        (local.set $was_inside (i64.shr_s (local.get $inside) (i64.const 63)))
        (local.set $was_closing (i64.shr_u (local.get $closing) (i64.const 63)))
        (local.set $was_split (i64.shr_u (local.get $split) (i64.const 63)))
        (local.set $was_lf (i64.shr_u (local.get $lf) (i64.const 63)))
        (local.set $was_cr (i64.shr_u (local.get $cr) (i64.const 63)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $next)))

    (i32.store (i32.const 0)
      (select (i32.const 0) ;; START
        (select (i32.const 1) ;; FIELD
          (select (i32.const 3) ;; QUOTED
            (select (i32.const 4) ;; CLOSED
              (select (i32.const 6) (i32.const 2) (i32.wrap_i64 (local.get $was_cr))) ;; AFTER_CR, PLAIN
              (i32.wrap_i64 (local.get $was_closing)))
            (i32.wrap_i64 (local.get $was_inside)))
          (i32.wrap_i64 (local.get $was_split)))
        (i32.wrap_i64 (local.get $was_lf))))
    (i32.store (i32.const 4) (local.get $rows))
    (i32.store (i32.const 8) (local.get $splits))
    (i32.store (i32.const 12) (i32.or
      (i32.shl (i64.ne (local.get $seen_lf) (i64.const 0)) (i32.const 8))
      (i32.shl (i64.ne (local.get $seen_crlf) (i64.const 0)) (i32.const 9))))
    (local.get $at)))
