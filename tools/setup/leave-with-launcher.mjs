// Loaded into the server before its own code. When the launcher is gone without having
// passed a signal on (kill -9), the server must not live on unseen.

if (process.channel) {
  process.channel.unref();
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
