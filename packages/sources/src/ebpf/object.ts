import { fileURLToPath } from 'node:url';

/** The BPF programs, built beforehand (bpf/build.sh) and the same for all machines: fields are found when they are loaded. */
export const OBJECT_PATH = fileURLToPath(new URL('./bpf/lifecycle.bpf.o', import.meta.url));
