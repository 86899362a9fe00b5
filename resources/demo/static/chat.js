"use strict";

const lines = document.getElementById("lines");
const state = document.getElementById("state");
const text = document.getElementById("text");
const secure = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(`${secure}//${location.host}/chat/socket`);

socket.onopen = () => { state.textContent = state.dataset.open; };
socket.onclose = () => { state.textContent = state.dataset.closed; };

socket.onmessage = (event) => {
  const { kind, name, text, online } = JSON.parse(event.data);
  document.getElementById("online").textContent = online;
  const line = document.createElement("li");
  const author = document.createElement("strong");
  author.textContent = name;
  // textContent, never innerHTML: what others write must not become code in this page.
  line.append(author, " ", kind === "message" ? text : lines.dataset[kind]);
  line.className = kind;
  lines.append(line);
  line.scrollIntoView({ block: "nearest" });
};

document.getElementById("say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value && socket.readyState === WebSocket.OPEN) {
    socket.send(text.value);
    text.value = "";
  }
});
