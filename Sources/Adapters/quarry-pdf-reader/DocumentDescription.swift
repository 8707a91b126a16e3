import CPoppler
import Glibc
import PDFPipe

/// Deepest level and most entries of an outline that are followed: outlines of hostile files go round in circles.
private let maxOutlineDepth = 32
private let maxOutlineEntries = 20_000

extension OpenDocument {
  /// Title, author, dates and outline.
  func describe() -> DocumentMessage {
    var outline: [OutlineMessage] = []
    if let top = poppler_index_iter_new(handle) {
      collectOutline(top, level: 0, into: &outline)
      poppler_index_iter_free(top)
    }
    return DocumentMessage(
      file: identity, pageCount: pageCount, title: takeText(poppler_document_get_title(handle)),
      author: takeText(poppler_document_get_author(handle)),
      created: seconds(poppler_document_get_creation_date_time(handle)),
      modified: seconds(poppler_document_get_modification_date_time(handle)), openedWithPassword: openedWithPassword,
      isRestricted: poppler_document_get_permissions(handle).rawValue & POPPLER_PERMISSIONS_FULL.rawValue
        != POPPLER_PERMISSIONS_FULL.rawValue,
      lacksEndMarker: lacksEndMarker, outline: outline)
  }

  private func collectOutline(_ iterator: OpaquePointer, level: UInt8, into outline: inout [OutlineMessage]) {
    repeat {
      guard outline.count < maxOutlineEntries else { return }
      if let action = poppler_index_iter_get_action(iterator) {
        outline.append(entry(action, level: level))
        poppler_action_free(action)
      }
      if Int(level) + 1 < maxOutlineDepth, let child = poppler_index_iter_get_child(iterator) {
        collectOutline(child, level: level + 1, into: &outline)
        poppler_index_iter_free(child)
      }
    } while poppler_index_iter_next(iterator) != 0
  }

  private func entry(_ action: UnsafeMutablePointer<PopplerAction>, level: UInt8) -> OutlineMessage {
    let title = action.pointee.any.title.map { String(cString: $0) } ?? ""
    guard action.pointee.type == POPPLER_ACTION_GOTO_DEST, var destination = action.pointee.goto_dest.dest else {
      return OutlineMessage(level: level, title: title, page: nil, y: nil)
    }
    var named: UnsafeMutablePointer<PopplerDest>?
    if destination.pointee.type == POPPLER_DEST_NAMED, let name = destination.pointee.named_dest {
      named = poppler_document_find_dest(handle, name)
      if let named { destination = named }
    }
    defer { if let named { poppler_dest_free(named) } }
    let number = Int(destination.pointee.page_num)
    guard number >= 1, number <= Int(pageCount) else {
      return OutlineMessage(level: level, title: title, page: nil, y: nil)
    }
    return OutlineMessage(level: level, title: title, page: UInt32(number - 1), y: distanceFromTop(destination))
  }

  /// A destination's height is in the page's own coordinates, upwards from the bottom of the media box; it can be told
  /// for unrotated pages only, where displayed and own height differ just by the crop box.
  private func distanceFromTop(_ destination: UnsafeMutablePointer<PopplerDest>) -> Float? {
    let type = destination.pointee.type
    let namesTop =
      type == POPPLER_DEST_XYZ && destination.pointee.change_top != 0 || type == POPPLER_DEST_FITH
      || type == POPPLER_DEST_FITBH || type == POPPLER_DEST_FITR
    guard namesTop, let page = poppler_document_get_page(handle, destination.pointee.page_num - 1) else { return nil }
    defer { g_object_unref(UnsafeMutableRawPointer(page)) }
    var crop = PopplerRectangle()
    poppler_page_get_crop_box(page, &crop)
    var width = 0.0
    var height = 0.0
    poppler_page_get_size(page, &width, &height)
    guard abs(height - abs(crop.y2 - crop.y1)) < 0.5 else { return nil }
    let y = max(crop.y1, crop.y2) - destination.pointee.top
    return y.isFinite && y >= -1 && y <= height + 1 ? Float(min(max(y, 0), height)) : nil
  }
}

/// Takes over a string that Poppler allocated; nil if there is nothing but white space in it.
func takeText(_ owned: UnsafeMutablePointer<CChar>?) -> String? {
  guard let owned else { return nil }
  defer { g_free(owned) }
  let value = String(cString: owned)
  return value.allSatisfy(\.isWhitespace) ? nil : value
}

private func seconds(_ owned: OpaquePointer?) -> Int64? {
  guard let owned else { return nil }
  defer { g_date_time_unref(owned) }
  return Int64(g_date_time_to_unix(owned))
}
