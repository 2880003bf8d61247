// The forward pass of a convolution.

static void conv_forward(const dk_conv_shape *s, const float *x, const float *w, const float *bias,
                         const float *image_bias, const float *residual, float *y, int accumulate) {
    conv_job job = {.batch = s->batch, .in_height = s->in_height, .in_width = s->in_width, .depth = s->in_channels,
                    .out_height = s->out_height, .out_width = s->out_width, .columns = s->out_channels,
                    .taps_y = s->kernel, .taps_x = s->kernel, .stride = s->stride, .pad_top = s->pad_top,
                    .pad_left = s->pad_left, .x = x, .y = y,
                    .y_image = s->out_height * s->out_width * s->out_channels,
                    .y_row = s->out_width * s->out_channels, .y_pixel = s->out_channels, .bias = bias,
                    .image_bias = image_bias, .residual = residual, .accumulate = accumulate};
    if (s->kernel == 3 && s->stride == 1 &&
        winograd_applies(s->out_height, s->out_width, s->in_channels, s->out_channels)) {
        job.panels = wino_pack_weights((wino_weights){.w = w, .in = s->in_channels, .out = s->out_channels});
        wino_run(&job);
        return;
    }
    job.panels = pack_weights((weight_packing){.w = w, .kernel = s->kernel, .in = s->in_channels,
                                               .out = s->out_channels, .taps_y = s->kernel, .taps_x = s->kernel,
                                               .dy = 1, .dx = 1});
    conv_run(&job);
}
