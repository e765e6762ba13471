// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tells of every birth, exec, exit, new name, new user and move between
 * control groups, each with all that the kernel knows of the task at that
 * moment: what is read here no process can be too short-lived for.
 *
 * Records go into one ring, in the layout of ../records.ts; a change here is a
 * change there. Strings stand behind the fixed part, in the order of their
 * lengths in it. Environments are never read.
 *
 * seen = records in the ring + lost, on each CPU: both are counted, where a
 * reader without any capability can read them.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { BIRTH = 1, EXEC, EXIT, RENAME, CREDENTIALS, CGROUP };

#define COMM 16

struct head {
	u64 at; /* boot clock */
	u64 start; /* of the task */
	u64 leader_start;
	u32 tid, pid, ppid;
	u32 uid, gid, euid, egid;
	u16 type, cpu;
	char comm[COMM];
}; /* 72 */

struct birth {
	struct head h;
	u64 clone_flags;
	u64 creator_start;
	u64 parent_start;
	u32 creator_tid, creator_pid;
	u32 ns_tid, ns_pid, pid_ns;
	u32 task_flags;
}; /* 120 */

#define GROUP_DEAD 1
#define GROUP_EXIT 2

struct exit {
	struct head h;
	s32 code, group_code, leader_code;
	u32 flags;
	u32 heir; /* who becomes the parent of its children; 0: it has none */
	u32 pad;
}; /* 96 */

#define EXE_CUT 1 /* path too long */
#define EXE_LOOSE 2 /* file in no folder: memfd */
#define CWD_CUT 4
#define CWD_LOOSE 8
#define ARGV_FAULT 16
#define CGROUP_CUT 32

struct exec {
	struct head h;
	u64 inode;
	u64 ctime_s;
	u64 size;
	u64 cgroup, memory_cgroup;
	u32 ctime_ns;
	u32 device, mode, links;
	u32 old_tid;
	u32 flags;
	u32 argv_total; /* bytes, however many are here */
	u32 ns_pid, pid_ns;
	u16 argv, filename, interp, executable, cwd, cgroup_path;
}; /* 160 */

struct cgroup_move {
	struct head h;
	u64 cgroup;
	u16 cgroup_path;
	u16 pad[3];
}; /* 88 */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct counters {
	u64 seen, lost, untracked;
	u64 pad[5];
};

/* One entry for each CPU; read through a mapping. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counters);
} counters SEC(".maps");

/* Room to build a record whose length is not known before. */
#define ROOM 16384
#define SLOTS 4

struct slot {
	u8 bytes[ROOM];
	/*
	 * Bytes of the record so far, and of the walk that writes here. In memory, where the verifier knows no number:
	 * else it would look at all that follows anew for each way in which one can come about.
	 */
	u32 length, walked, outcome;
	s32 users;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* Pids of the one tree that is told of, when it is not the whole host. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} tracked SEC(".maps");

/* Set before loading. 0: the whole host; else only what this thread starts, and what descends from that. */
const volatile u32 launcher_tid = 0;

#define MASK(x, m) asm volatile("%0 &= " #m : "+r"(x))

static __always_inline u64 below_2k(u64 x)
{
	MASK(x, 2047);
	return x;
}

static __always_inline u64 below_8k(u64 x)
{
	MASK(x, 8191);
	return x;
}

static __always_inline u64 below_16k(u64 x)
{
	MASK(x, 16383);
	return x;
}

static __always_inline struct counters *count_seen(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct counters *c = bpf_map_lookup_elem(&counters, &cpu);

	if (c)
		__sync_fetch_and_add(&c->seen, 1);
	return c;
}

static __always_inline void count_lost(struct counters *c)
{
	if (c)
		__sync_fetch_and_add(&c->lost, 1);
}

static __always_inline int is_wanted(u32 pid)
{
	return !launcher_tid || bpf_map_lookup_elem(&tracked, &pid) != 0;
}

static __always_inline u64 start_of(struct task_struct *t)
{
	struct task_struct___5_4 *old = (void *)t;

	if (bpf_core_field_exists(t->start_boottime))
		return BPF_CORE_READ(t, start_boottime);
	return BPF_CORE_READ(old, real_start_time);
}

static __always_inline void fill(struct head *h, struct task_struct *t, u16 type)
{
	const struct cred *cred = BPF_CORE_READ(t, cred);

	h->at = bpf_ktime_get_boot_ns();
	h->start = start_of(t);
	h->leader_start = start_of(BPF_CORE_READ(t, group_leader));
	h->tid = BPF_CORE_READ(t, pid);
	h->pid = BPF_CORE_READ(t, tgid);
	h->ppid = BPF_CORE_READ(t, real_parent, tgid);
	h->uid = BPF_CORE_READ(cred, uid.val);
	h->gid = BPF_CORE_READ(cred, gid.val);
	h->euid = BPF_CORE_READ(cred, euid.val);
	h->egid = BPF_CORE_READ(cred, egid.val);
	h->type = type;
	h->cpu = bpf_get_smp_processor_id();
	bpf_probe_read_kernel(h->comm, COMM, t->comm);
}

/* Ids of a task in its own pid namespace. */
static __always_inline u32 ns_id(struct task_struct *t, u32 *pid_ns)
{
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid id = {};

	bpf_core_read(&id, sizeof(id), &pid->numbers[level]);
	*pid_ns = BPF_CORE_READ(id.ns, ns.inum);
	return id.nr;
}

static __always_inline struct slot *take_slot(void)
{
#pragma unroll
	for (u32 i = 0; i < SLOTS; i++) {
		u32 key = i;
		struct slot *s = bpf_map_lookup_elem(&slots, &key);

		if (!s)
			return 0;
		/*
		 * Who interrupts us on this CPU must not build in the same place. Whoever
		 * finds itself alone has the slot; of two at once, at most one does.
		 */
		__sync_fetch_and_add(&s->users, 1);
		if (*(volatile s32 *)&s->users == 1)
			return s;
		__sync_fetch_and_add(&s->users, -1);
	}
	return 0;
}

static __always_inline void give_slot(struct slot *s)
{
	__sync_fetch_and_add(&s->users, -1);
}

static __always_inline u64 length_of(struct slot *s)
{
	return *(volatile u32 *)&s->length;
}

static __always_inline void set_length(struct slot *s, u32 length)
{
	*(volatile u32 *)&s->length = length;
}

static __always_inline void add_length(struct slot *s, u32 bytes)
{
	*(volatile u32 *)&s->length += bytes;
}

/* A walk ends well, at something that is in no folder, or before its end. */
#define WHOLE 0
#define CUT 1
#define LOOSE 2

#define PATH_BYTES 1024
#define NAME_BYTES 256
#define MAX_STEPS 48

static __always_inline u32 end_walk(struct slot *s)
{
	u32 total = below_2k(*(volatile u32 *)&s->walked);

	add_length(s, total);
	return total;
}

/*
 * Adds the names of a path to the record, the last one first, each with a NUL.
 * Returns bytes written; `outcome` of the slot says how it went.
 */
static __always_inline u32 walk_path(struct slot *s, struct dentry *d, struct vfsmount *vm)
{
	struct mount *m = (void *)vm - bpf_core_field_offset(struct mount, mnt);
	volatile u32 *walked = &s->walked, *outcome = &s->outcome;

	*walked = 0;
	*outcome = CUT;
	for (int i = 0; i < MAX_STEPS; i++) {
		struct dentry *root = BPF_CORE_READ(m, mnt.mnt_root);

		if (d == root) {
			struct mount *above = BPF_CORE_READ(m, mnt_parent);

			if (above == m) {
				*outcome = WHOLE;
				break;
			}
			d = BPF_CORE_READ(m, mnt_mountpoint);
			m = above;
			continue;
		}
		struct dentry *parent = BPF_CORE_READ(d, d_parent);
		u32 have = *walked;

		if (have > PATH_BYTES - NAME_BYTES)
			break;
		u64 at = below_16k(length_of(s) + have);

		if (at > ROOM - 2 * NAME_BYTES)
			break;
		long n = bpf_probe_read_kernel_str(s->bytes + at, NAME_BYTES, BPF_CORE_READ(d, d_name.name));

		if (n <= 0)
			break;
		*walked = have + ((u32)n & 0x1ff);
		if (parent == d) {
			*outcome = LOOSE;
			break;
		}
		d = parent;
	}
	return end_walk(s);
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *kn)
{
	struct kernfs_node___6_14 *old = (void *)kn;

	if (bpf_core_field_exists(kn->__parent))
		return BPF_CORE_READ(kn, __parent);
	return BPF_CORE_READ(old, parent);
}

/* The same of a control group, from its hierarchy's root (which has no name) on. */
static __always_inline u32 walk_cgroup(struct slot *s, struct kernfs_node *kn)
{
	volatile u32 *walked = &s->walked, *outcome = &s->outcome;

	*walked = 0;
	*outcome = CUT;
	for (int i = 0; i < 24; i++) {
		struct kernfs_node *parent = kn ? parent_of(kn) : 0;

		if (!parent) {
			*outcome = WHOLE;
			break;
		}
		u32 have = *walked;

		if (have > PATH_BYTES - NAME_BYTES)
			break;
		u64 at = below_16k(length_of(s) + have);

		if (at > ROOM - 2 * NAME_BYTES)
			break;
		long n = bpf_probe_read_kernel_str(s->bytes + at, NAME_BYTES, BPF_CORE_READ(kn, name));

		if (n <= 0)
			break;
		*walked = have + ((u32)n & 0x1ff);
		kn = parent;
	}
	return end_walk(s);
}

static __always_inline struct cgroup *memory_group(struct task_struct *t)
{
	struct css_set *set = BPF_CORE_READ(t, cgroups);
	struct cgroup_subsys_state *state = 0;

	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return 0;
	bpf_core_read(&state, sizeof(state), &set->subsys[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]);
	return state ? BPF_CORE_READ(state, cgroup) : 0;
}

/*
 * Containers are in the one hierarchy of cgroup v2, or where memory has a hierarchy of its own (v1, and both at
 * once) in that one.
 */
static __always_inline struct kernfs_node *named_group(struct task_struct *t)
{
	struct cgroup *unified = BPF_CORE_READ(t, cgroups, dfl_cgrp), *memory = memory_group(t);

	if (memory && BPF_CORE_READ(memory, root) != BPF_CORE_READ(unified, root)) {
		struct kernfs_node *kn = BPF_CORE_READ(memory, kn);

		if (kn && parent_of(kn))
			return kn;
	}
	return BPF_CORE_READ(unified, kn);
}

static __always_inline void send(struct slot *s, struct counters *c)
{
	if (bpf_ringbuf_output(&ring, s->bytes, below_16k(length_of(s)), BPF_RB_NO_WAKEUP))
		count_lost(c);
}

static __always_inline void tell_group(struct task_struct *t)
{
	struct counters *c = count_seen();
	struct slot *s = take_slot();

	if (!s) {
		count_lost(c);
		return;
	}
	struct cgroup_move *e = (void *)s->bytes;

	set_length(s, sizeof(*e));
	fill(&e->h, t, CGROUP);
	e->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	e->cgroup_path = walk_cgroup(s, named_group(t));
	send(s, c);
	give_slot(s);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_birth, struct task_struct *child, u64 clone_flags)
{
	struct task_struct *creator = (void *)bpf_get_current_task();
	u64 ids = bpf_get_current_pid_tgid();
	u32 creator_pid = ids >> 32, creator_tid = (u32)ids;
	u32 pid = child->tgid, pid_ns = 0;

	if (launcher_tid) {
		u32 one = 1;

		if (creator_tid != launcher_tid && !is_wanted(creator_pid))
			return 0;
		if (pid == creator_pid && creator_tid == launcher_tid)
			return 0; /* a thread of our own */
		if (pid != creator_pid && bpf_map_update_elem(&tracked, &pid, &one, BPF_ANY)) {
			u32 cpu = bpf_get_smp_processor_id();
			struct counters *c = bpf_map_lookup_elem(&counters, &cpu);

			if (c)
				__sync_fetch_and_add(&c->untracked, 1);
		}
	}
	struct counters *c = count_seen();
	struct birth *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_lost(c);
		return 0;
	}
	struct task_struct *parent = BPF_CORE_READ(child, real_parent, group_leader);

	fill(&e->h, child, BIRTH);
	e->clone_flags = clone_flags;
	e->creator_tid = creator_tid;
	e->creator_pid = creator_pid;
	e->creator_start = start_of(creator);
	e->parent_start = start_of(parent);
	e->ns_tid = ns_id(child, &pid_ns);
	e->ns_pid = ns_id(BPF_CORE_READ(child, group_leader), &pid_ns);
	e->pid_ns = pid_ns;
	e->task_flags = child->flags;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	if (clone_flags & CLONE_INTO_CGROUP)
		tell_group(child);
	return 0;
}

/* Who becomes the parent of the children of a process that ends: see find_new_reaper in the kernel's exit.c. */
static __always_inline u32 heir_of(struct task_struct *t)
{
	struct pid *own = BPF_CORE_READ(t, thread_pid);
	u32 level = BPF_CORE_READ(own, level);
	struct task_struct *reaper = BPF_CORE_READ(t, real_parent);

	if (BPF_CORE_READ_BITFIELD_PROBED(t->signal, has_child_subreaper)) {
		for (int i = 0; i < 64; i++) {
			struct signal_struct *signal = BPF_CORE_READ(reaper, signal);
			struct task_struct *next = BPF_CORE_READ(reaper, real_parent);

			if (BPF_CORE_READ(reaper, thread_pid, level) != level || next == reaper)
				break;
			if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper) &&
			    BPF_CORE_READ(signal, live.counter) > 0)
				return BPF_CORE_READ(reaper, tgid);
			reaper = next;
		}
	}
	struct upid id = {};

	bpf_core_read(&id, sizeof(id), &own->numbers[level]);
	return BPF_CORE_READ(id.ns, child_reaper, tgid);
}

static __always_inline int tell_exit(struct task_struct *t, int is_group_dead)
{
	u32 pid = t->tgid;

	if (!is_wanted(pid))
		return 0;
	if (launcher_tid && is_group_dead)
		bpf_map_delete_elem(&tracked, &pid);
	struct counters *c = count_seen();
	struct exit *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_lost(c);
		return 0;
	}
	struct signal_struct *signal = t->signal;

	fill(&e->h, t, EXIT);
	e->code = t->exit_code;
	e->group_code = signal->group_exit_code;
	e->leader_code = BPF_CORE_READ(t, group_leader, exit_code);
	e->flags = (is_group_dead ? GROUP_DEAD : 0) | (signal->flags & SIGNAL_GROUP_EXIT ? GROUP_EXIT : 0);
	e->heir = 0;
	e->pad = 0;
	if (is_group_dead && BPF_CORE_READ(t, children.next) != &t->children)
		e->heir = heir_of(t);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Linux tells who was the last of its group since 6.12 or so. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit_told, struct task_struct *t, bool is_group_dead)
{
	return tell_exit(t, is_group_dead);
}

/* Before that the count of the living is nearly as good: two that end at once may both see zero. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit_counted, struct task_struct *t)
{
	return tell_exit(t, t->signal->live.counter == 0);
}

static __always_inline void read_ctime(struct inode *inode, struct exec *e)
{
	struct inode___6_6 *newer = (void *)inode;
	struct inode___5 *old = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		e->ctime_s = BPF_CORE_READ(inode, i_ctime_sec);
		e->ctime_ns = BPF_CORE_READ(inode, i_ctime_nsec);
	} else if (bpf_core_field_exists(newer->__i_ctime)) {
		e->ctime_s = BPF_CORE_READ(newer, __i_ctime.tv_sec);
		e->ctime_ns = BPF_CORE_READ(newer, __i_ctime.tv_nsec);
	} else {
		e->ctime_s = BPF_CORE_READ(old, i_ctime.tv_sec);
		e->ctime_ns = BPF_CORE_READ(old, i_ctime.tv_nsec);
	}
}

#define ARGV_BYTES 4095
#define NAME_AS_PASSED_BYTES 1024

static __always_inline u32 add_name(struct slot *s, const char *name)
{
	long n = bpf_probe_read_kernel_str(s->bytes + below_8k(length_of(s)), NAME_AS_PASSED_BYTES, name);

	if (n < 0)
		n = 0;
	n = below_2k(n);
	add_length(s, n);
	return n;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *t, int old_tid, struct linux_binprm *program)
{
	if (!is_wanted(t->tgid))
		return 0;
	struct counters *c = count_seen();
	struct slot *s = take_slot();

	if (!s) {
		count_lost(c);
		return 0;
	}
	struct exec *e = (void *)s->bytes;
	struct inode *inode = program->file->f_inode;
	struct mm_struct *mm = t->mm;
	struct cgroup *memory = memory_group(t);
	u32 pid_ns = 0;

	fill(&e->h, t, EXEC);
	e->old_tid = old_tid;
	e->flags = 0;
	e->inode = inode->i_ino;
	e->device = inode->i_sb->s_dev;
	e->mode = inode->i_mode;
	e->links = inode->i_nlink;
	e->size = inode->i_size;
	read_ctime(inode, e);
	e->ns_pid = ns_id(t, &pid_ns);
	e->pid_ns = pid_ns;
	e->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	e->memory_cgroup = memory ? BPF_CORE_READ(memory, kn, id) : 0;

	u64 from = mm->arg_start, total = mm->arg_end - from, n = total;

	e->argv_total = total > 0xffffffff ? 0xffffffff : total;
	if (n > ARGV_BYTES)
		n = ARGV_BYTES;
	n = below_8k(n);
	if (bpf_probe_read_user(s->bytes + sizeof(*e), n, (void *)from)) {
		e->flags |= ARGV_FAULT;
		n = 0;
	}
	e->argv = n;
	set_length(s, sizeof(*e) + n);
	e->filename = add_name(s, program->filename);
	e->interp = add_name(s, program->interp);

	e->executable = walk_path(s, BPF_CORE_READ(program, file, f_path.dentry), BPF_CORE_READ(program, file, f_path.mnt));
	e->flags |= s->outcome == CUT ? EXE_CUT : s->outcome == LOOSE ? EXE_LOOSE : 0;

	struct fs_struct *fs = t->fs;

	e->cwd = walk_path(s, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt));
	e->flags |= s->outcome == CUT ? CWD_CUT : s->outcome == LOOSE ? CWD_LOOSE : 0;

	e->cgroup_path = walk_cgroup(s, named_group(t));
	e->flags |= s->outcome == CUT ? CGROUP_CUT : 0;

	send(s, c);
	give_slot(s);
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *t, const char *comm)
{
	if (!is_wanted(t->tgid))
		return 0;
	struct counters *c = count_seen();
	struct head *h = bpf_ringbuf_reserve(&ring, sizeof(*h), 0);

	if (!h) {
		count_lost(c);
		return 0;
	}
	fill(h, t, RENAME);
	__builtin_memset(h->comm, 0, COMM);
	bpf_probe_read_kernel_str(h->comm, COMM, comm);
	bpf_ringbuf_submit(h, BPF_RB_NO_WAKEUP);
	return 0;
}

/* In whichever hierarchy it was moved: what counts is where it is now. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup, struct cgroup *to, const char *path, struct task_struct *t, bool is_threadgroup)
{
	if (is_wanted(t->tgid))
		tell_group(t);
	return 0;
}

struct syscall_exit {
	u64 common;
	s64 nr;
	s64 ret;
};

/* Attached to the exits of setuid and its like. */
SEC("tracepoint")
int on_credentials(struct syscall_exit *ctx)
{
	if (ctx->ret != 0)
		return 0;
	struct task_struct *t = (void *)bpf_get_current_task();

	if (!is_wanted(bpf_get_current_pid_tgid() >> 32))
		return 0;
	struct counters *c = count_seen();
	struct head *h = bpf_ringbuf_reserve(&ring, sizeof(*h), 0);

	if (!h) {
		count_lost(c);
		return 0;
	}
	/* `t` is only an address here, whose fields must be copied. */
	fill(h, t, CREDENTIALS);
	bpf_core_read(h->comm, COMM, &t->comm);
	bpf_ringbuf_submit(h, BPF_RB_NO_WAKEUP);
	return 0;
}
