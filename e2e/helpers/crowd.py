# Starts PROCESSES children with THREADS further threads each, and says so. All
# sleep until standard input ends.
import os, sys, threading

processes, threads = int(sys.argv[1]), int(sys.argv[2])
threading.stack_size(65536)
gate_read, gate_write = os.pipe()
for _ in range(processes):
    if os.fork() == 0:
        os.close(gate_write)
        os.close(0)
        for _ in range(threads):
            threading.Thread(target=os.read, args=(gate_read, 1), daemon=True).start()
        os.read(gate_read, 1)
        os._exit(0)
print("ready", flush=True)
sys.stdin.read()
os.close(gate_write)
for _ in range(processes):
    os.wait()
