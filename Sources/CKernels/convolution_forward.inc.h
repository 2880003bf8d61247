// The forward pass of a convolution, and its weights made ready for it.

INLINE int conv_is_winograd(const dk_conv_shape *s) {
    return s->kernel == 3 && s->stride == 1 &&
           winograd_applies(s->out_height, s->out_width, s->in_channels, s->out_channels);
}

static long conv_packed_size(const dk_conv_shape *s) {
    if (conv_is_winograd(s)) return winograd_panels_size(s->in_channels, s->out_channels);
    long taps = s->kernel * s->kernel;
    if (conv_is_narrow(s->out_channels, s->in_channels))
        return narrow_panels_size(taps, s->in_channels, s->out_channels);
    return max_long(1, panels_size(taps * s->in_channels, s->out_channels));
}

static void conv_pack(const dk_conv_shape *s, const float *w, float *packed) {
    if (conv_is_winograd(s))
        winograd_pack_weights((winograd_weights){
            .w = w, .in = s->in_channels, .out = s->out_channels, .columns = s->out_channels, .panels = packed
        });
    else if (conv_is_narrow(s->out_channels, s->in_channels))
        narrow_pack(w, s->kernel * s->kernel, s->in_channels, s->out_channels, packed);
    else
        pack_weights((weight_packing){
            .w = w,
            .kernel = s->kernel,
            .in = s->in_channels,
            .out = s->out_channels,
            .taps_y = s->kernel,
            .taps_x = s->kernel,
            .dy = 1,
            .dx = 1,
            .panels = packed
        });
}

static conv_job conv_forward_job(const dk_conv_shape *s, const float *x, const float *bias, const float *image_bias,
                                 const float *residual, float *y, int accumulate) {
    return (conv_job){
        .batch = s->batch,
        .in_height = s->in_height,
        .in_width = s->in_width,
        .depth = s->in_channels,
        .out_height = s->out_height,
        .out_width = s->out_width,
        .columns = s->out_channels,
        .taps_y = s->kernel,
        .taps_x = s->kernel,
        .stride = s->stride,
        .pad_top = s->pad_top,
        .pad_left = s->pad_left,
        .x = x,
        .y = y,
        .y_image = s->out_height * s->out_width * s->out_channels,
        .y_row = s->out_width * s->out_channels,
        .y_pixel = s->out_channels,
        .bias = bias,
        .image_bias = image_bias,
        .image_bias_row = s->out_channels,
        .residual = residual,
        .accumulate = accumulate,
        .is_narrow = conv_is_narrow(s->out_channels, s->in_channels)
    };
}

static void conv_forward_packed(const dk_conv_shape *s, const float *x, const float *packed, const float *bias,
                                const float *image_bias, const float *residual, float *y, int accumulate) {
    conv_job job = conv_forward_job(s, x, bias, image_bias, residual, y, accumulate);
    job.panels = packed;
    if (conv_is_winograd(s))
        winograd_run(&job);
    else
        conv_run(&job);
}

static long conv_forward_floats(const dk_conv_shape *s) {
    return conv_is_winograd(s) ? winograd_workspace_floats(s->in_channels, s->out_channels) : conv_packed_size(s);
}

static void conv_forward(const dk_conv_shape *s, const float *x, const float *w, const float *bias,
                         const float *image_bias, const float *residual, float *y, int accumulate, float *workspace) {
    if (conv_is_winograd(s)) {
        conv_job job = conv_forward_job(s, x, bias, image_bias, residual, y, accumulate);
        winograd_convolve(&job, (winograd_weights){.w = w, .in = s->in_channels, .out = s->out_channels}, workspace);
        return;
    }
    conv_pack(s, w, workspace);
    conv_forward_packed(s, x, workspace, bias, image_bias, residual, y, accumulate);
}
