/// A cost in which some sites are at most some times as wide as others, whatever their own masks say: what will be cut
/// to that once masks are carried out.
struct FollowingCost: Cost {
    struct Follower {
        let site: Int
        /// The site that it follows.
        let leader: Int
        let factor: Int
    }
    let base: any Cost
    let followers: [Follower]

    var kind: CostKind { base.kind }

    private func followed(_ widths: [Double]) -> [Double] {
        var result = widths
        for each in followers { result[each.site] = min(widths[each.site], Double(each.factor) * widths[each.leader]) }
        return result
    }

    func value(_ widths: [Double]) -> Double { base.value(followed(widths)) }

    func slopes(_ widths: [Double]) -> [Double] {
        var slopes = base.slopes(followed(widths))
        for each in followers where Double(each.factor) * widths[each.leader] <= widths[each.site] {
            slopes[each.leader] += Double(each.factor) * slopes[each.site]
            slopes[each.site] = 0
        }
        return slopes
    }
}
