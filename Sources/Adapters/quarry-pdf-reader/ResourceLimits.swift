import Glibc
import PDFPipe

/// Descriptors the reader may have open: the three standard ones, the document, and the fonts and profiles that
/// drawing a page opens.
private let openFileLimit: UInt64 = 64

/// Begins a page: from here it may use the processor for `limits.pageCPUSeconds`, and the rest of the second that has
/// begun. The hard limit stays, so the document's own limit holds.
func beginPage(_ limits: ReaderLimits) {
  guard limits.pageCPUSeconds > 0 else { return }
  var used = timespec()
  var limit = rlimit()
  guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0, getrlimit(cpuLimit, &limit) == 0 else { return }
  let document = limits.cpuSeconds == 0 ? limit.rlim_max : min(rlim_t(limits.cpuSeconds), limit.rlim_max)
  limit.rlim_cur = min(rlim_t(used.tv_sec) + 1 + rlim_t(limits.pageCPUSeconds), document)
  // Lowering a soft limit, or raising it within the hard one, is always allowed.
  setrlimit(cpuLimit, &limit)
}

private let cpuLimit = __rlimit_resource_t(RLIMIT_CPU.rawValue)

/// Gives this process its limits. Nothing of the document has been read before.
///
/// - Returns: A failure that names the limit the system refused, else nil.
func applyLimits(_ limits: ReaderLimits) -> FailureMessage? {
  // With a file size limit of zero, a write to a file (fontconfig's cache) must be an error, not a signal.
  signal(SIGXFSZ, SIG_IGN)
  // A second between soft and hard limit: the soft one's SIGXCPU is what the parent recognises.
  let cpu = UInt64(limits.cpuSeconds)
  let wanted: [(name: String, resource: __rlimit_resource_t, soft: UInt64, hard: UInt64)] = [
    ("RLIMIT_CORE", __rlimit_resource_t(RLIMIT_CORE.rawValue), 0, 0),
    ("RLIMIT_FSIZE", __rlimit_resource_t(RLIMIT_FSIZE.rawValue), 0, 0),
    ("RLIMIT_NOFILE", __rlimit_resource_t(RLIMIT_NOFILE.rawValue), openFileLimit, openFileLimit),
    (
      "RLIMIT_AS", __rlimit_resource_t(RLIMIT_AS.rawValue), limits.addressSpace, limits.addressSpace
    ),
    ("RLIMIT_CPU", cpuLimit, cpu, cpu + 1),
  ]
  for entry in wanted {
    let unlimited = entry.name == "RLIMIT_AS" && entry.soft == 0 || entry.name == "RLIMIT_CPU" && cpu == 0
    if unlimited { continue }
    var present = rlimit()
    getrlimit(entry.resource, &present)
    var limit = rlimit(
      rlim_cur: min(rlim_t(entry.soft), present.rlim_max), rlim_max: min(rlim_t(entry.hard), present.rlim_max))
    if setrlimit(entry.resource, &limit) != 0 {
      let code = errno
      return FailureMessage(
        .limitsNotSet, "\(entry.name) cannot be set: \(String(cString: strerror(code)))", number: UInt64(code))
    }
  }
  return nil
}
