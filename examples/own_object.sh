#!/bin/sh
# docs/own-object.md from end to end, on stand-ins: 200 renders of a car that no training saw are the
# photos, its mesh is the mesh. Run it from the checkout; repeated, it goes on where it was stopped.
#
#   examples/own_object.sh WORK [CHECKPOINT]
#
# With a mesh, photos and masks of your own: put them at WORK/mesh.ply, WORK/photos and WORK/masks,
# and the part "stand-ins" is left out. TRAIN (how CHECKPOINT was trained: further options of `posegen
# train`), SIZE, MESH_UNIT, RENDERS, MESH_STEPS, STEPS and SEED may be set.
set -eu
work=${1:?name a folder to work in}
checkpoint=${2:-checkpoints/edge-cars.safetensors}
size=${SIZE:-128}
unit=${MESH_UNIT:-mm}
train=${TRAIN:---viewpoint --lambda-gan 0.5 --lambda-features 5 --lambda-object 5 --lambda-background 20 --shadowless}
train="$train --image-size $size --batch-size 8 --learning-rate 4e-4 --ema-decay 0.99"
train="$train --rough-masks 0.5 --crops 0.2 --precision bf16-mixed"
mkdir -p "$work"

# Stand-ins: 300 renders of one car. 200 become photos, with their empty scenes set aside; 100 with
# known poses stay a data set to evaluate on.
if [ ! -d "$work/photos" ]; then
    posegen data render --out "$work/car" --cars 1 --samples 300 --seed "${SEED:-4711}"
    mkdir -p "$work/photos" "$work/masks" "$work/empty"
    for number in $(seq 0 199); do
        frame=$(printf %06d "$number")
        mv "$work/car/train/000000/rgb/$frame.png" "$work/photos/"
        mv "$work/car/train/000000/mask/${frame}_000000.png" "$work/masks/"
        mv "$work/car/train/000000/background/$frame.png" "$work/empty/"
    done
    sed -i 's/"train": 300/"train": 100/' "$work/car/dataset.json"
    cp "$work/car/models/obj_000001.ply" "$work/mesh.ply"
fi

# 1. Pretrain on renders of the mesh, from a model that knows objects of its kind.
if [ ! -e "$work/renders/dataset.json" ]; then
    posegen data render --mesh "$work/mesh.ply" --mesh-unit "$unit" --cars 1 \
        --samples "${RENDERS:-400}" --out "$work/renders"
fi
posegen train --data "$work/renders" --out "$work/pretrained" --init "$checkpoint" \
    --steps "${MESH_STEPS:-300}" $train

# 2. A data set from the photos, 3. fine-tune on it, look how good it has become.
if [ ! -e "$work/dataset/dataset.json" ]; then
    posegen data photos "$work/photos" --masks "$work/masks" --out "$work/dataset"
fi
posegen train --data "$work/dataset" --out "$work/tuned" --init "$work/pretrained/last.safetensors" \
    --steps "${STEPS:-500}" $train --covered 0.5
posegen evaluate "$work/tuned/last.safetensors" --data "$work/dataset" --split val --sheet "$work/val.png"
if [ -d "$work/car" ]; then
    posegen evaluate "$work/tuned/last.safetensors" --data "$work/car" --split train \
        --without-viewpoint --sheet "$work/unseen.png"
fi

# 4. Export, and generate: silhouettes of the mesh at sampled poses.
posegen-export onnx "$work/tuned/last.safetensors" --data "$work/dataset" --name my-object -o "$work/bundle"
if [ ! -e "$work/poses/poses.jsonl" ]; then
    posegen data masks --mesh "$work/mesh.ply" --mesh-unit "$unit" --sample 40 --distance 5:12 \
        --elevation 5:30 --out "$work/poses"
fi
posegen-run --bundle "$work/bundle" --masks "$work/poses/masks" --poses "$work/poses/poses.jsonl" \
    --fit object --appearance "$work/dataset/train/000000/appearance" \
    --background "$work/renders/train/000000/background" --preview --out "$work/generated" --fresh
