using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Tests.Contract;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.SelfSupervised;

/// <summary>
/// Methods go on from tiny networks, written once for each image size: one with batch norm, and one with a teacher. What is the other
/// methods' own, SslFeaturizerTests has; all four would take two minutes more.
/// </summary>
internal abstract class SslContractSetup(SslMethod method, string network) : IContractSetup
{
    private static readonly TestFolders.TemporaryFolder s_folder = TestFolders.Temporary();
    private static readonly Lock s_lock = new();

    static SslContractSetup() => AppDomain.CurrentDomain.ProcessExit += (_, _) => s_folder.Dispose();

    public Type Options => typeof(SslFeaturizerOptions);

    public string Variant => method.ToString();

    public void Prepare(OptionBag options, int imageSize) => options.For<SslFeaturizerOptions>(ssl =>
    {
        (ssl.Method, ssl.Checkpoint, ssl.ImageSize, ssl.BatchSize) = (method, Folder(network, imageSize), null, 2);
        if (network != "vit")
            ssl.AttentionMapsColumnName = null;
        (ssl.SimClr.HiddenSize, ssl.SimClr.ProjectionSize) = (8, 4);
        (ssl.Byol.HiddenSize, ssl.Byol.ProjectionSize) = (8, 4);
        (ssl.Dino.Prototypes, ssl.Dino.HeadHiddenSize, ssl.Dino.BottleneckSize, ssl.Dino.LocalCrops) = (16, 8, 4, 1);
        (ssl.Mae.DecoderWidth, ssl.Mae.DecoderDepth, ssl.Mae.DecoderHeads) = (8, 1, 2);
    });

    /// <summary>A folder of a tiny network with random weights.</summary>
    /// <param name="network">"vit" or "resnet".</param>
    /// <param name="imageSize">The side of its images.</param>
    public static string Folder(string network, int imageSize)
    {
        var folder = s_folder.File($"{network}-{imageSize}");
        lock (s_lock)
        {
            if (Directory.Exists(folder))
                return folder;
            using var generator = new torch.Generator(5);
            var preprocessing = ImagePreprocessing.ForNetwork(null, null, null, imageSize);
            if (network == "vit")
            {
                using var vit = new ViTNetwork(new() { ImageSize = imageSize, PatchSize = imageSize / 2, Width = 8, Depth = 2, Heads = 2, MlpWidth = 16 }, generator);
                vit.Draw(generator);
                new ViTModel(default).Save(vit, null, preprocessing, folder);
            }
            else
            {
                using var resnet = new ResNetNetwork(ResNetConfig.Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 4) with { ImageSize = imageSize, SmallStem = true }, generator);
                resnet.Draw(generator);
                new ResNetModel().Save(resnet, null, preprocessing, folder);
            }
            return folder;
        }
    }
}

internal sealed class SimClrContractSetup() : SslContractSetup(SslMethod.SimClr, "resnet");

internal sealed class DinoContractSetup() : SslContractSetup(SslMethod.Dino, "vit");
