/// A rectangle on a page in PDF points (1/72 inch), origin at the top left of the page as displayed (rotation
/// applied), y growing downwards.
public struct Box: Sendable, Hashable, Codable {
  /// Left edge, points.
  public var left: Float
  /// Top edge, points.
  public var top: Float
  /// Right edge, points; at least `left`.
  public var right: Float
  /// Bottom edge, points; at least `top`.
  public var bottom: Float

  /// Creates a box from its edges.
  public init(left: Float, top: Float, right: Float, bottom: Float) {
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
  }

  /// Width in points.
  public var width: Float { right - left }
  /// Height in points.
  public var height: Float { bottom - top }
  /// Vertical centre, points.
  public var midY: Float { (top + bottom) / 2 }
  /// Horizontal centre, points.
  public var midX: Float { (left + right) / 2 }

  /// The smallest box that holds both.
  public func union(_ other: Box) -> Box {
    Box(
      left: min(left, other.left), top: min(top, other.top), right: max(right, other.right),
      bottom: max(bottom, other.bottom))
  }

  /// Whether the two overlap with positive area.
  public func intersects(_ other: Box) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }
}

/// Width and height in PDF points of a page as displayed (rotation applied).
public struct PageSize: Sendable, Hashable, Codable {
  /// Width in points.
  public var width: Float
  /// Height in points.
  public var height: Float

  /// Creates a size in points.
  public init(width: Float, height: Float) {
    self.width = width
    self.height = height
  }
}
