/// Decides whether the deletions that a scan or notices suggest may be made. An emptied folder, a lost mount or a
/// listing cut short must never wipe an index.
///
/// A deletion that was noticed as it happened, while the root stands, is trusted. A burst of them is not: removing a
/// whole tree is a series of single deletions too.
struct DeletionGuard {
  /// The listing saw everything.
  var isComplete: Bool
  /// Identifies the root now; nil when the root is missing.
  var rootStamp: String?
  /// Identified the root at the last scan; nil at the first.
  var knownRootStamp: String?
  /// Documents indexed under the root.
  var known: Int
  /// Of those, the ones whose file is gone.
  var missing: Int
  /// `--allow-mass-delete`.
  var isOverruled: Bool
  /// The deletions were noticed as they happened, rather than found by a scan.
  var isNoticed = false
  /// Documents deleted by notices a short while ago: part of the same burst.
  var recent = 0

  /// Why nothing may be deleted; nil when the deletions may be made.
  var refusal: String? {
    guard missing > 0 else { return nil }
    if !isComplete { return "the source could not be listed completely" }
    if isOverruled { return nil }
    guard let rootStamp else { return "the source is missing; if that is right, pass --allow-mass-delete" }
    if let knownRootStamp, knownRootStamp != rootStamp {
      return "the source is on another device or mount than before; if that is right, pass --allow-mass-delete"
    }
    if missing >= known, !(isNoticed && missing == 1) {
      return "every document of the source is gone; if that is right, pass --allow-mass-delete"
    }
    let (burst, all) = (missing + recent, known + recent)
    if burst >= 10, burst * 2 > all {
      return "\(burst) of \(all) documents of the source are gone; if that is right, pass --allow-mass-delete"
    }
    return nil
  }
}
