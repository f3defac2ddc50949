/* A plugin for QEMU's user mode that counts the instructions a program executes on the emulated processor.
 *
 *   gcc -O2 -fPIC -shared -o instruction_counter.so instruction_counter.c
 *   QEMU_CPU=arm1176 qemu-arm -plugin ./instruction_counter.so PROGRAM
 *
 * The program sets marks by closing a file that cannot be open: close(0x494E4B00), in Python
 * os.close(0x494E4B00), which fails and does no harm. The plugin then writes to its standard error how many
 * instructions have been executed since the mark before. What a mark itself costs is counted too.
 *
 * For QEMU 7.2, Debian 12's, whose packages hold no qemu-plugin.h: what is needed of its interface, version 1,
 * is declared here. Source: QEMU's documentation, "TCG Emulation", "Plugin API".
 */
#include <inttypes.h>
#include <stdio.h>

#define MARK 0x494E4B00 /* "INK": there are never that many open files */
#define ARM_CLOSE 6     /* the number of the system call */

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb; /* a block of instructions without a jump in it, translated and executed as one */
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(
    qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                               uint64_t, uint64_t, uint64_t, uint64_t));

int qemu_plugin_version = 1;

static uint64_t executed, at_last_mark;

/* Every time this block is executed, add what it holds. */
static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
}

static void look_for_mark(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t file, uint64_t a2, uint64_t a3,
                          uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (number != ARM_CLOSE || (uint32_t)file != MARK) return;
  fprintf(stderr, "instructions: %" PRIu64 "\n", executed - at_last_mark);
  at_last_mark = executed;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
  qemu_plugin_register_vcpu_syscall_cb(id, look_for_mark);
  return 0;
}
