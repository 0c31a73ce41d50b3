using Microsoft.ML.VisionModels;

namespace Samples;

/// <summary>Puts the previews of a training on one sheet, a row for each.</summary>
internal sealed class PreviewSheet(string folder) : IProgress<DiffusionPreview>
{
    private readonly List<ContactSheet.Tile> _tiles = [];

    public void Report(DiffusionPreview value)
    {
        foreach (var (i, image) in value.Images.Index())
        {
            using (image)
            {
                var path = Path.Combine(folder, "previews", $"{value.Epoch:000}-{i}.png");
                VisionImage.SavePng(image, path);
                _tiles.Add(new(path, i == 0 ? $"epoch {value.Epoch}" : "", "", 0));
            }
        }
        ContactSheet.Write(_tiles, Path.Combine(folder, "preview.png"), value.Images.Count);
    }
}
