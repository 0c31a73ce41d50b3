using System.Text.Json;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Families.Diffusion;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>
/// Writes diffusion models of published sizes with seeded weights, as diffusers lays them out: Stable Diffusion 1.5 whole, and the U-Net of
/// google/ddpm-cifar10-32. Tensors are drawn while they are written, so that none but the one at hand takes memory.
/// </summary>
internal static class PrepareDiffusion
{
    public const string StableDiffusion = "sd15", SmallUNet = "ddpm-cifar10-32";

    private const string UNetFile = "diffusion_pytorch_model.safetensors", TextFile = "model.safetensors";

    private const string SmallUNetConfig = """
        {"_class_name": "UNet2DModel", "act_fn": "silu", "attention_head_dim": null, "block_out_channels": [128, 256, 256, 256], "center_input_sample": false,
         "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"], "downsample_padding": 0, "flip_sin_to_cos": false, "freq_shift": 1,
         "in_channels": 3, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-06, "norm_num_groups": 32, "out_channels": 3, "sample_size": 32,
         "time_embedding_type": "positional", "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]}
        """;

    private const string UNetConfiguration = """
        {"_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false,
         "cross_attention_dim": 768, "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"], "downsample_padding": 1,
         "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32,
         "out_channels": 4, "sample_size": 64, "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}
        """;

    private const string AutoencoderConfiguration = """
        {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
         "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"], "in_channels": 3, "latent_channels": 4,
         "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": 512,
         "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}
        """;

    private const string TextConfiguration = """
        {"architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 768,
         "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 12,
         "num_hidden_layers": 12, "pad_token_id": 1, "projection_dim": 768, "vocab_size": 49408}
        """;

    private const string SchedulerConfiguration = """
        {"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
         "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null, "clip_sample": false}
        """;

    private const string Index = """
        {"_class_name": "StableDiffusionPipeline", "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
         "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
        """;

    /// <summary>4.4 GB, or 2.2 GB with <c>--half true</c>, which writes the variant of 16 bits alone.</summary>
    public static void Run(BenchArguments arguments)
    {
        var half = bool.Parse(arguments.Text("half", "false"));
        var data = arguments.Text("data", Repository.Data);
        var folder = Path.Combine(data, half ? $"{StableDiffusion}-fp16" : StableDiffusion);
        var (unet, vae, text) = (Part("unet", UNetConfiguration), Part("vae", AutoencoderConfiguration), Part("text_encoder", TextConfiguration));
        Write(new UNet(UNetConfig.FromDiffusers(unet)), UNetFile, "unet", network => DiffusersDialect.UNet(network.Config));
        Write(new AutoencoderKl(AutoencoderKlConfig.FromDiffusers(vae)), UNetFile, "vae", _ => DiffusersDialect.Autoencoder);
        Write(new ClipTextNetwork(ClipTextModel.Read(text, new Dictionary<string, TensorInfo>())), TextFile, "text_encoder", _ => ClipDialect.TextTower[0]);
        Part("scheduler", SchedulerConfiguration, "scheduler_config.json");
        File.WriteAllText(Path.Combine(folder, "model_index.json"), Index);
        // A vocabulary of a few hundred tokens does as well as CLIP's: rows of 77 tokens all the same.
        var tokenizer = Path.Combine(Repository.Bench, "../tests/Golden/diffusion-pipeline-t2i/tokenizer");
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        foreach (var file in Directory.EnumerateFiles(tokenizer))
            File.Copy(file, Path.Combine(folder, "tokenizer", Path.GetFileName(file)), overwrite: true);

        if (!half)
        {
            folder = Path.Combine(data, SmallUNet);
            var small = Part("", SmallUNetConfig);
            Write(new UNet(UNetConfig.FromDiffusers(small)), UNetFile, "", network => DiffusersDialect.UNet(network.Config));
        }

        JsonElement Part(string name, string config, string file = "config.json")
        {
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, name)).FullName, file), config);
            return JsonSerializer.Deserialize<JsonElement>(config);
        }

        void Write<T>(T network, string file, string part, Func<T, Dialect> dialect) where T : nn.Module
        {
            using var owned = network;
            using var generator = new Generator(1);
            var type = half ? ScalarType.Float16 : ScalarType.Float32;
            var path = Path.Combine(folder, part, half ? file.Replace(".safetensors", ".fp16.safetensors", StringComparison.Ordinal) : file);
            SafetensorsWriter.Write(path, dialect(network).ForeignTensors(network.state_dict().Select(tensor => (tensor.Key, tensor.Value.shape)))
                .Select(tensor => new TensorSource(new(tensor.Name, type, tensor.Shape), stream =>
                {
                    using var scope = NewDisposeScope();
                    TensorBytes.Write(stream, Draw(tensor.Name, tensor.Shape, generator).to(type));
                })));
            Console.WriteLine($"{path}: {new FileInfo(path).Length / 1e6:F0} MB");
        }
    }

    /// <summary>Weights that keep what goes through a network of about the same size everywhere: norms' near 1, and products' by the numbers they sum.</summary>
    private static Tensor Draw(string name, long[] shape, Generator generator)
    {
        var normal = randn(shape, generator: generator);
        if (shape.Length == 1)
            return name.EndsWith(".weight", StringComparison.Ordinal) ? normal.mul_(0.03).add_(1) : normal.mul_(0.03);
        return normal.mul_(1 / Math.Sqrt(shape[1..].Aggregate(1L, (product, size) => product * size)));
    }
}
