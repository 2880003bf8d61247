import Files

/// What other programs and papers call the keys of a configuration. Edit distance cannot know that `lr` is a learning
/// rate.
package enum Synonyms {
    /// The key that `name` most likely stands for: one that goes by it elsewhere, or else the nearest in spelling.
    ///
    /// - Parameter keys: with dots between the parts of a path.
    package static func nearest(to name: String, among keys: [String]) -> String? {
        for synonym in of(name) {
            if let known = keys.first(where: { $0 == synonym || $0.hasSuffix("." + synonym) }) { return known }
        }
        return Spelling.nearest(to: name, among: keys)
    }

    /// The keys that `name` may stand for, the likeliest first; of a key with dots its last parts.
    private static func of(_ name: String) -> [String] {
        let typed = name.lowercased().replacing("-", with: "_")
        return table.filter { $0.names.contains(typed) }.map(\.key)
    }

    private static let table: [(key: String, names: Set<String>)] = [
        ("learning_rate", ["lr", "rate", "base_lr", "max_lr", "peak_lr"]),
        ("learning_rate_schedule.shape", ["lr_scheduler", "lr_schedule", "scheduler_type", "lr_scheduler_type"]),
        (
            "learning_rate_schedule.warm_up_steps",
            ["warmup", "warm_up", "warmup_steps", "lr_warmup", "lr_warmup_steps", "num_warmup_steps"]
        ),
        ("warm_up_steps", ["warmup", "warm_up", "warmup_steps", "lr_warmup_steps"]),
        ("learning_rate_schedule.final_fraction", ["min_lr", "lr_min", "final_lr", "lr_end", "eta_min"]),
        ("learning_rate_schedule.cycles", ["num_cycles", "lr_num_cycles", "restarts"]),
        ("learning_rate_schedule.power", ["lr_power"]),
        ("learning_rate_schedule.decay", ["gamma", "lr_gamma", "lr_decay"]),
        ("learning_rate_schedule.milestones", ["lr_milestones"]),
        (
            "steps",
            [
                "iters", "iterations", "num_steps", "max_steps", "n_steps", "train_steps", "num_iterations", "updates",
                "max_train_steps", "num_train_steps", "finetune_steps", "epochs", "num_epochs",
            ]
        ),
        ("epochs", ["num_epochs", "n_epochs", "max_epochs", "num_train_epochs"]),
        ("batch_size", ["bs", "batch", "batchsize", "train_batch_size", "per_device_train_batch_size"]),
        ("calibration_batches", ["batches", "num_batches"]),
        ("optimizer.weight_decay", ["wd", "decay", "adam_weight_decay"]),
        ("optimizer.kind", ["opt", "optim", "optimizer_type"]),
        ("optimizer.beta1", ["betas", "adam_beta1"]),
        ("optimizer.beta2", ["adam_beta2"]),
        ("optimizer.epsilon", ["eps", "adam_epsilon"]),
        ("ema", ["ema_decay", "ema_rate", "ema_max_decay", "use_ema"]),
        ("gradient_clip", ["clip", "grad_clip", "clip_grad", "max_grad_norm", "clip_grad_norm"]),
        ("gradient_checkpointing", ["grad_checkpointing", "checkpointing"]),
        ("checkpoint_every", ["save_every", "save_steps", "checkpoint_steps", "checkpointing_steps", "save_interval"]),
        ("log_every", ["log_steps", "logging_steps", "log_interval"]),
        ("sample_every", ["sample_steps", "sample_interval", "save_images_steps", "validation_steps"]),
        ("distillation", ["kd", "kd_weight", "alpha", "distill", "distill_weight"]),
        ("generated", ["data_free", "synthetic", "synthetic_data", "generated_data", "self_generated"]),
        ("generated_count", ["pool_size", "num_generated", "num_samples", "generated_images"]),
        ("generated_steps", ["ddim_steps", "num_inference_steps", "sampling_steps"]),
        ("generated_share", ["generated_fraction", "generated_ratio", "synthetic_ratio"]),
        (
            "feature_distillation",
            ["feature_kd", "feature_weight", "feat_kd", "feature_distill", "hint_weight", "lambda_feature"]
        ),
        (
            "jacobian_matching",
            ["jacobian", "jacobian_weight", "jacobian_loss", "lambda_jacobian", "igsm", "second_match"]
        ),
        ("prediction_uses", ["teacher_reuse", "teacher_every", "prediction_passes", "reuse_predictions"]),
        ("reconstruction", ["repair", "compensation", "weight_reconstruction", "weight_update"]),
        (
            "rewind_learning_rate",
            ["rewind", "rewind_lr", "lr_rewind", "lr_rewinding", "learning_rate_rewinding"]
        ),
        ("loss_weighting", ["snr_gamma", "min_snr", "min_snr_gamma", "weighting"]),
        ("timestep_sampling", ["timesteps"]),
        ("target", ["ratio", "pruning_ratio", "prune_ratio", "sparsity", "amount", "ch_sparsity", "macs", "params"]),
        ("multiple", ["round_to", "align", "alignment"]),
        ("minimum_fraction", ["min_fraction", "min_ratio", "min_channels"]),
        ("pattern", ["nm", "n_m"]),
        ("name", ["method", "pruner", "criterion", "importance"]),
        ("path", ["dir", "folder", "root", "dataset", "train_data_dir", "data_dir", "dataset_name", "image_folder"]),
        ("flip", ["random_flip", "hflip", "horizontal_flip"]),
        ("fit", ["resize", "crop", "center_crop"]),
        ("limit", ["max_images", "max_samples", "max_train_samples"]),
        ("split", ["subset", "part"]),
        ("sample_size", ["resolution", "image_size", "img_size"]),
        ("input_size", ["resolution", "image_size", "img_size"]),
        ("block_out_channels", ["channels", "widths", "dim_mults", "ch_mult"]),
        ("layers_per_block", ["num_res_blocks", "depth"]),
        ("num_class_embeds", ["num_classes", "n_classes", "classes"]),
        ("act_fn", ["activation", "act"]),
        ("num_train_timesteps", ["timesteps", "num_timesteps", "diffusion_steps"]),
        ("beta_schedule", ["schedule", "noise_schedule"]),
        ("prediction_type", ["objective", "parameterization", "parametrization"]),
        ("seed", ["random_seed", "random_state"]),
    ]
}
