import CLinux
import Glibc

/// Resource limits of a child process; `nil` keeps what it inherits. A hard limit already in force is never raised.
///
/// They hold from the program's first instruction on, and for whatever it starts.
public struct ProcessLimits: Sendable, Hashable {
  /// Virtual memory, bytes (`RLIMIT_AS`); allocations beyond it fail.
  public var addressSpace: UInt64?
  /// Processor time, whole seconds, all threads together (`RLIMIT_CPU`): SIGXCPU, one second later SIGKILL.
  public var cpuSeconds: UInt64?
  /// The largest file it may write, bytes (`RLIMIT_FSIZE`): SIGXFSZ. Pipes do not count.
  public var fileSize: UInt64?
  /// Descriptors open at once (`RLIMIT_NOFILE`).
  public var openFiles: UInt64?
  /// The largest core dump, bytes (`RLIMIT_CORE`). 0 by default: a crash must not copy its input to disk.
  public var coreSize: UInt64?

  /// Creates limits; by default only core dumps are off.
  public init(
    addressSpace: UInt64? = nil, cpuSeconds: UInt64? = nil, fileSize: UInt64? = nil, openFiles: UInt64? = nil,
    coreSize: UInt64? = 0
  ) {
    self.addressSpace = addressSpace
    self.cpuSeconds = cpuSeconds
    self.fileSize = fileSize
    self.openFiles = openFiles
    self.coreSize = coreSize
  }

  /// What the spawn sets.
  var settings: [clinux_limit] {
    let settings: [(resource: __rlimit_resource, soft: UInt64?, hard: UInt64?)] = [
      (RLIMIT_AS, addressSpace, addressSpace),
      // A second between the limits lets the child die of the telling signal rather than of SIGKILL.
      (RLIMIT_CPU, cpuSeconds, cpuSeconds.map { $0 + 1 }),
      (RLIMIT_FSIZE, fileSize, fileSize),
      (RLIMIT_NOFILE, openFiles, openFiles),
      (RLIMIT_CORE, coreSize, coreSize),
    ]
    return settings.compactMap { setting in
      guard let soft = setting.soft, let hard = setting.hard else { return nil }
      return clinux_limit(resource: Int32(setting.resource.rawValue), soft: soft, hard: hard)
    }
  }
}
