using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>As Hugging Face's diffusers has it in <c>config.json</c>.</summary>
internal sealed partial record UNetConfig
{
    private const string Unconditional = "UNet2DModel", Conditional = "UNet2DConditionModel";

    // Entries whose other values name parts that this network does not have.
    private static readonly (string Key, string[] Built)[] s_built =
    [
        ("time_embedding_type", ["positional"]), ("time_embedding_act_fn", []), ("timestep_post_act", []),
        ("downsample_type", ["conv"]), ("upsample_type", ["conv"]), ("attention_legacy_order", ["false"]), ("resnet_time_scale_shift", ["default", "scale_shift"]),
        ("dual_cross_attention", ["false"]), ("attention_type", ["default"]), ("cross_attention_norm", []), ("num_attention_heads", []), ("encoder_hid_dim", []), ("encoder_hid_dim_type", []),
        ("addition_embed_type", ["text_time"]), ("class_embed_type", ["timestep", "identity", "projection"]), ("class_embeddings_concat", ["false"]),
    ];

    private static readonly string[] s_attentions = ["", "Attn", "CrossAttn"];

    /// <summary>Reads the <c>config.json</c> of a <c>UNet2DModel</c> or a <c>UNet2DConditionModel</c>. A missing key means the library's default.</summary>
    /// <exception cref="CheckpointException">Another class, a value of the wrong kind, or one that names a part which is not built; the message names the key.</exception>
    /// <exception cref="ArgumentException">The numbers make no network.</exception>
    public static UNetConfig FromDiffusers(JsonElement config)
    {
        var name = config.Get("_class_name", config.Optional("cross_attention_dim") is null ? Unconditional : Conditional);
        if (name is not (Unconditional or Conditional))
            throw new CheckpointException($"The configuration has the _class_name '{name}'; U-Nets of this package are {Unconditional} and {Conditional}.");
        DiffusersConfig.RequireBuilt(config, s_built);
        if (config.TryGetProperty("norm_num_groups", out var groups) && groups.ValueKind == JsonValueKind.Null)
            throw new CheckpointException("The configuration's 'norm_num_groups' is null: U-Nets without norms are not built.");

        var knowsWords = name == Conditional;
        var defaults = knowsWords ? new UNetConfig { InputChannels = 4, OutputChannels = 4, Channels = [320, 640, 1280, 1280] } : new();
        var read = ConfigKeys.Read(config, defaults);
        var stages = read.Stages;
        var classes = config.Optional("num_class_embeds")?.Integer("num_class_embeds");
        read = read with
        {
            Down = Attentions(config, "down", stages, knowsWords, read.Down),
            Up = Attentions(config, "up", stages, knowsWords, read.Up),
            Middle = MiddleOf(config, knowsWords),
        };
        return (read with
        {
            SampleSize = config.Optional("sample_size") is null ? null : config.Size("sample_size", 0),
            Layers = config.ForEach("layers_per_block", stages, 2),
            Heads = HeadsOf(config, read, knowsWords),
            ContextWidths = knowsWords ? config.ForEach("cross_attention_dim", stages, 1280) : null,
            Depths = config.ForEach("transformer_layers_per_block", stages, 1),
            UpDepths = config.Optional("reverse_transformer_layers_per_block") is null ? null : config.ForEach("reverse_transformer_layers_per_block", stages, 1),
            OnlyCrossAttention = OnlyCross(config, stages),
            MiddleNormGroups = config.Optional("attn_norm_num_groups")?.Integer("attn_norm_num_groups"),
            TimeWidth = config.Optional("time_embedding_dim")?.Integer("time_embedding_dim"),
            ScaleShift = config.Get("resnet_time_scale_shift", "default") == "scale_shift",
            GuidanceWidth = config.Optional("time_cond_proj_dim")?.Integer("time_cond_proj_dim"),
            ClassEmbedding = config.Optional("class_embed_type") is not null ? ConfigKeys.Parse<ClassEmbedding>(config.Get("class_embed_type", ""))
                : classes is null ? ClassEmbedding.None : ClassEmbedding.Table,
            Classes = config.Optional("class_embed_type") is null ? classes : null,
            ProjectionWidth = config.Optional("projection_class_embeddings_input_dim")?.Integer("projection_class_embeddings_input_dim"),
            SizeWidth = config.Optional("addition_embed_type") is null ? null : config.Get("addition_time_embed_dim", 0),
        }).Validate();
    }

    /// <summary>The <c>config.json</c> that diffusers writes for this network, less what it does not need.</summary>
    /// <exception cref="InvalidOperationException">Diffusers has no such network.</exception>
    public JsonObject ToDiffusers()
    {
        var json = ConfigKeys.Write(this, new Dictionary<string, JsonNode?>
        {
            ["_class_name"] = KnowsWords ? Conditional : Unconditional,
            ["attention_head_dim"] = KnowsWords ? DiffusersConfig.List(Heads) : HeadWidth(),
            ["class_embed_type"] = ClassEmbedding is ClassEmbedding.None or ClassEmbedding.Table ? null : ConfigKeys.NameOf(ClassEmbedding),
            ["down_block_types"] = new JsonArray([.. Down.Select(attention => JsonValue.Create($"{s_attentions[(int)attention]}DownBlock2D"))]),
            ["layers_per_block"] = Layers.Distinct().Count() == 1 ? Layers[0] : DiffusersConfig.List(Layers),
            ["num_class_embeds"] = Classes,
            ["resnet_time_scale_shift"] = ScaleShift ? "scale_shift" : "default",
            ["sample_size"] = SampleSize?.ToJson(),
            ["up_block_types"] = new JsonArray([.. Up.Select(attention => JsonValue.Create($"{s_attentions[(int)attention]}UpBlock2D"))]),
        });
        if (!KnowsWords)
        {
            foreach (var key in (string[])["conv_in_kernel", "conv_out_kernel", "use_linear_projection"])
                json.Remove(key);
            json["add_attention"] = Middle == UNetMiddle.Attention;
            json["attn_norm_num_groups"] = MiddleNormGroups;
            return json;
        }
        json["addition_embed_type"] = SizeWidth is null ? null : "text_time";
        json["addition_time_embed_dim"] = SizeWidth;
        json["cross_attention_dim"] = DiffusersConfig.List(ContextWidths!);
        json["mid_block_type"] = Middle switch { UNetMiddle.Attention => "UNetMidBlock2DCrossAttn", UNetMiddle.Block => "UNetMidBlock2D", _ => null };
        json["only_cross_attention"] = new JsonArray([.. OnlyCrossAttention.Select(only => JsonValue.Create(only))]);
        json["projection_class_embeddings_input_dim"] = ProjectionWidth;
        json["reverse_transformer_layers_per_block"] = UpDepths is null ? null : DiffusersConfig.List(UpDepths);
        json["time_cond_proj_dim"] = GuidanceWidth;
        json["time_embedding_dim"] = TimeWidth;
        json["transformer_layers_per_block"] = DiffusersConfig.List(Depths);
        return json;
    }

    // Of a network without words the entry is the width of a head, and null one head; of one with words, by an old mistake, their number.
    private static int[] HeadsOf(JsonElement config, UNetConfig read, bool knowsWords)
    {
        const string Key = "attention_head_dim";
        if (knowsWords)
            return config.ForEach(Key, read.Stages, 8);
        if (config.TryGetProperty(Key, out var given) && given.ValueKind == JsonValueKind.Null)
            return [.. Enumerable.Repeat(1, read.Stages)];
        var width = config.Get(Key, 8);
        return [.. read.Channels.Select((channels, stage) => width > 0 && channels % width == 0 ? channels / width
            : read.AttentionOf(stage) == StageAttention.None ? 1
            : throw new CheckpointException($"{channels} channels ('block_out_channels' of config.json) do not consist of heads of {width} ('{Key}')."))];
    }

    private int? HeadWidth()
    {
        if (Array.TrueForAll(Heads, heads => heads == 1))
            return null;
        int[] widths = [.. Heads.Select((heads, stage) => Channels[stage] / heads).Distinct()];
        return widths.Length == 1 ? widths[0] : throw new InvalidOperationException("A UNet2DModel has heads of one width in all stages.");
    }

    private static StageAttention[] Attentions(JsonElement config, string way, int stages, bool knowsWords, StageAttention[] defaults)
    {
        var key = $"{way}_block_types";
        if (config.Texts(key) is not { } names)
            return !knowsWords ? defaults : [.. Enumerable.Range(0, 4).Select(stage => stage == (way == "down" ? 3 : 0) ? StageAttention.None : StageAttention.Words)];
        string[] known = [.. s_attentions.Select(attention => $"{attention}{char.ToUpperInvariant(way[0])}{way[1..]}Block2D")];
        // Between places alone a network with words has none: it would read its number of heads as their width.
        return [.. names.Select(name => Array.IndexOf(known, name) is var attention && attention >= 0 && attention != (int)(knowsWords ? StageAttention.Places : StageAttention.Words)
            ? (StageAttention)attention
            : throw new CheckpointException(
                $"The configuration's '{key}' has '{name}', which is not built; a {(knowsWords ? Conditional : Unconditional)} may have {known[0]} and {known[knowsWords ? 2 : 1]}."))];
    }

    private static UNetMiddle MiddleOf(JsonElement config, bool knowsWords)
    {
        const string Key = "mid_block_type";
        if (config.TryGetProperty(Key, out var given) && given.ValueKind == JsonValueKind.Null)
            return UNetMiddle.Nothing;
        return (knowsWords, config.Get(Key, knowsWords ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D")) switch
        {
            (true, "UNetMidBlock2DCrossAttn") => UNetMiddle.Attention,
            (true, "UNetMidBlock2D") => UNetMiddle.Block,
            (false, "UNetMidBlock2D") => config.Get("add_attention", true) ? UNetMiddle.Attention : UNetMiddle.Blocks,
            (_, var name) => throw new CheckpointException($"The configuration's '{Key}' is '{name}', which is not built; it may be UNetMidBlock2DCrossAttn, UNetMidBlock2D or null."),
        };
    }

    private static bool[] OnlyCross(JsonElement config, int stages)
    {
        const string Key = "only_cross_attention";
        if (config.Optional(Key) is not { ValueKind: JsonValueKind.Array } list)
            return [.. Enumerable.Repeat(config.Get(Key, false), stages)];
        return [.. list.EnumerateArray().Select(value => value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new CheckpointException($"The configuration's '{Key}' should be true, false, or a list of these, but is {list.GetRawText()}."))];
    }
}
