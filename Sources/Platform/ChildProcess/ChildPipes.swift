import CLinux
import Glibc

/// The descriptors between this process and a child about to be spawned.
struct ChildPipes {
  /// Bytes that a child's standard output may run ahead. An ordinary user may have 1 MiB a pipe and 64 MiB in all
  /// (`/proc/sys/fs/pipe-max-size`, `pipe-user-pages-soft`).
  static let outputCapacity: Int32 = 512 << 10

  private(set) var childInput: Int32 = -1
  private(set) var childOutput: Int32 = -1
  /// -1: inherited; -2: /dev/null; see `clinux_spawn`.
  private(set) var childError: Int32 = -1
  private(set) var input: Int32 = -1
  private(set) var output: Int32 = -1
  private(set) var error: Int32 = -1

  init(executable: String, standardError: ChildProcess.StandardError) throws(ChildProcessError) {
    var succeeded = clinux_pipe(&childInput, &input) == 0 && clinux_pipe(&output, &childOutput) == 0
    switch standardError {
    case .inherited: break
    case .discarded: childError = -2
    case .captured: succeeded = succeeded && clinux_pipe(&error, &childError) == 0
    }
    // So that a child works on while what it wrote is being read: with the usual 64 KiB the two take turns.
    if succeeded { clinux_widen_pipe(output, Self.outputCapacity) }
    // Only this process's ends: each end of a pipe has flags of its own, so the child's stay blocking.
    for own in [input, output, error] where succeeded && own >= 0 {
      succeeded = clinux_set_nonblocking(own) == 0
    }
    if !succeeded {
      let number = errno
      closeChildEnds()
      closeOwnEnds()
      throw ChildProcessError(
        .spawnFailed, "no pipe for '\(executable)'", remedy: "Raise the limit on open files.", systemError: number)
    }
  }

  func closeChildEnds() {
    for end in [childInput, childOutput, childError] where end >= 0 { close(end) }
  }

  func closeOwnEnds() {
    for end in [input, output, error] where end >= 0 { close(end) }
  }
}
