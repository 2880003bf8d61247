extension PrunableGroup {
    /// The layers that read the axis: weights of convolutions and linear layers whose inputs it is, or is part of.
    /// Members of a weight's dimension of inputs, the last but one.
    public var consumers: [Member] {
        members.filter { member in
            member.parameter.isMaskable && member.dimension == member.parameter.variable.shape.count - 2
        }
    }
}
