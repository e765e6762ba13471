# Starts PROCESSES children with THREADS further threads each, and says so once
# all of them run. All sleep until standard input ends.
import os, sys, threading

processes, threads = int(sys.argv[1]), int(sys.argv[2])
threading.stack_size(65536)
gate_read, gate_write = os.pipe()
ready_read, ready_write = os.pipe()
for _ in range(processes):
    if os.fork() == 0:
        os.close(gate_write)
        os.close(0)
        for _ in range(threads):
            threading.Thread(target=os.read, args=(gate_read, 1), daemon=True).start()
        os.write(ready_write, b".")
        os.read(gate_read, 1)
        os._exit(0)
started = 0
while started < processes:
    started += len(os.read(ready_read, 65536))
print("ready", flush=True)
sys.stdin.read()
os.close(gate_write)
for _ in range(processes):
    os.wait()
